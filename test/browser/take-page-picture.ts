import { mkdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import type { JourneysAnswer } from "../../exporter/store/api-types.js";
import { formatRoute } from "../../exporter/web/model/route.js";
import { BROWSER_FLAGS, BROWSER_PATH } from "./browser.js";
import { startPage } from "./start-page.js";

/*
 * Makes the README's picture of the page, docs/page.png, from a recording of a real kernel:
 * npm run build && node dist/test/browser/take-page-picture.js
 */
const SOURCES = new URL("../../../", import.meta.url);
const RECORDING = new URL("test/fixtures/recordings/6.12-kprobe.session-http.skbspan", SOURCES);
const PICTURE = new URL("docs/page.png", SOURCES);

const running = await startPage();
const browser = await chromium.launch({ executablePath: BROWSER_PATH, args: BROWSER_FLAGS });
try {
  await running.send(readFileSync(RECORDING));
  const answer = (await (await fetch(`${running.url}api/journeys?end=dropped`)).json()) as JourneysAnswer;
  const journey = answer.journeys.find(({ drop }) => drop?.reason === "NETFILTER_DROP");
  if (journey === undefined) throw new Error(`${RECORDING.pathname} holds no packet that a firewall dropped`);
  const page = await browser.newPage({ viewport: { width: 1360, height: 1600 } });
  const { traceId, spanId } = journey;
  await page.goto(running.url + formatRoute({ view: "trace", traceId, journeyId: spanId, spanId: "" }));
  const drop = await page.locator(".row.is-fault.role-hop").boundingBox();
  if (drop === null) throw new Error("the hop that dropped is not on the page");
  mkdirSync(new URL(".", PICTURE), { recursive: true });
  await page.screenshot({ path: PICTURE.pathname, clip: { x: 0, y: 0, width: 1360, height: drop.y + 60 } });
} finally {
  await browser.close();
  await running.close();
}
