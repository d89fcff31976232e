import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { demoNetwork } from "../../exporter/demo/build-demo-network.js";
import type { JourneysAnswer } from "../../exporter/store/api-types.js";
import { formatRoute } from "../../exporter/web/model/route.js";
import { BROWSER_FLAGS, BROWSER_PATH } from "./browser.js";

/*
 * Makes the README's picture of the page, docs/page.png, from the demo as it runs in a guest, once its page has a request to the port
 * that is dropped:
 *
 *   npm run demo -- --guest
 *   node dist/test/browser/take-page-picture.js [URL of the page]
 */
const PAGE_URL = process.argv[2] ?? "http://127.0.0.1:4316/";
const PICTURE = new URL("../../../docs/page.png", import.meta.url);
const WIDTH = 1360;

const traceId = await findBlockedRequest();
const browser = await chromium.launch({ executablePath: BROWSER_PATH, args: BROWSER_FLAGS });
try {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 2400 } });
  await page.goto(PAGE_URL + formatRoute({ view: "trace", traceId, journeyId: "", spanId: "" }));
  const packets = page.locator(".row.role-journey");
  await packets.nth(1).waitFor();
  // One packet opened is enough to see.
  for (let index = 1; index < (await packets.count()); index++) await packets.nth(index).locator(".twisty").click();
  await page.mouse.move(0, 0);
  const last = await packets.last().boundingBox();
  if (last === null) throw new Error("the packets are not on the page");
  mkdirSync(new URL(".", PICTURE), { recursive: true });
  const height = Math.ceil(last.y + last.height + 12);
  await page.screenshot({ path: PICTURE.pathname, clip: { x: 0, y: 0, width: WIDTH, height } });
} finally {
  await browser.close();
}

async function findBlockedRequest(): Promise<string> {
  const response = await fetch(`${PAGE_URL}api/journeys?end=application`);
  const { journeys } = (await response.json()) as JourneysAnswer;
  const isBlocked = ({ url = "", failedPackets }: JourneysAnswer["journeys"][number]): boolean =>
    url.includes(`:${demoNetwork.blockedPort}/`) && failedPackets > 1;
  const found = journeys.find(isBlocked);
  if (found === undefined)
    throw new Error(`${PAGE_URL} has no request to the blocked port with two dropped packets yet`);
  return found.traceId;
}
