import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { listAttributes } from "../../exporter/map/list-attributes.js";
import type { PacketSpan } from "../../exporter/map/packet-span.js";
import type { JourneysAnswer, TraceAnswer } from "../../exporter/store/api-types.js";
import { BROWSER_FLAGS, BROWSER_PATH } from "../browser/browser.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { type RunningSkbspan, runSkbspan, startSkbspan } from "../lib/run-skbspan.js";
import { findFreePorts } from "./lib/find-free-ports.js";
import { poll } from "./lib/poll.js";
import { readJson } from "./lib/read-json.js";
import { type Jaeger, startJaeger } from "./lib/start-jaeger.js";

const recording = "test/fixtures/recordings/6.12-kprobe.session-http.skbspan";
const skip = existsSync(BROWSER_PATH) ? false : `there is no browser at ${BROWSER_PATH}: install chromium`;
/** Older than any recording. */
const EVER = "100000h";

async function startPage(argv: readonly string[]): Promise<{ readonly running: RunningSkbspan; readonly url: string }> {
  const running = startSkbspan(["page", "--port", "0", ...argv], { timeoutMs: 600_000 });
  await running.untilStderr(/holds, at http:\/\/\S+/);
  return { running, url: /holds, at (http:\/\/\S+)/.exec(running.written().stderr)?.[1] ?? "" };
}

describe("the page over a Jaeger", { skip, timeout: 600_000 }, () => {
  const journeys = collectJourneys(readFileSync(recording));
  let jaeger: Jaeger;
  let browser: Browser;
  let page: Awaited<ReturnType<typeof startPage>>;

  before(async () => {
    const bundler = new URL("../../../exporter/web/bundle.mjs", import.meta.url);
    execFileSync(process.execPath, [fileURLToPath(bundler)]);
    jaeger = await startJaeger();
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.grpcUrl };
    const { code, stderr } = await runSkbspan(["replay", recording, "--export", "otlp"], { environment });
    assert.equal(code, 0, stderr);
    page = await startPage(["--jaeger", jaeger.queryUrl, "--lookback", EVER]);
    browser = await chromium.launch({ executablePath: BROWSER_PATH, args: BROWSER_FLAGS });
  });
  after(async () => {
    await browser?.close();
    page?.running.child.kill("SIGTERM");
    await page?.running.result;
    await jaeger?.stop();
  });

  it("has every journey, span for span, with exact times", async () => {
    const answer = await poll("all journeys", async () => {
      const found = await readJson<JourneysAnswer>(`${page.url}api/journeys`);
      return found.total >= journeys.length ? found : undefined;
    });
    assert.equal(answer.total, journeys.length);
    const sent = journeys.map(({ journey, startRealtimeNs, spans }) =>
      [startRealtimeNs, journey.end, journey.durationNs, spans[0]?.shape.name].join(" "),
    );
    const seen = answer.journeys.map(({ startUnixNs, end, durationNs, name }) =>
      [startUnixNs, end, durationNs, name].join(" "),
    );
    assert.deepEqual(seen.sort(), sent.sort());
  });

  it("shows them in a browser, and a dropped packet's path when it is clicked", async () => {
    const tab = await browser.newPage();
    const complaints: string[] = [];
    tab.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    tab.on("pageerror", (error) => complaints.push(error.message));
    await tab.goto(page.url);
    const dropped = tab.locator(".journey").filter({ has: tab.locator('.end:has-text("dropped")') });
    await dropped.first().waitFor({ timeout: 60_000 });
    assert.equal(await tab.locator(".journey").count(), journeys.length);
    await dropped.first().click();
    await tab.waitForURL(/#\/trace\/[0-9a-f]{32}/);
    const opened = journeys.find(({ traceId }) => tab.url().includes(Buffer.from(traceId).toString("hex")));
    assert.ok(opened, tab.url());
    const reason = listAttributes(opened.spans[0] as PacketSpan).find(
      ({ definition }) => definition.key === "skb.drop.reason",
    );
    for (const text of [String(reason?.value), opened.spans[1]?.shape.name ?? ""])
      await tab.getByText(text).first().waitFor({ timeout: 60_000 });
    await tab.close();
    assert.deepEqual(complaints, []);
  });

  it("opens a trace by its id that is older than what it looks for; one that is nowhere is told", async () => {
    const other = await startPage(["--jaeger", jaeger.queryUrl, "--lookback", "1s"]);
    try {
      const id = Buffer.from(journeys[0]?.traceId ?? []).toString("hex");
      const trace = await readJson<TraceAnswer>(`${other.url}api/traces/${id}`);
      assert.equal(trace.spans.length, journeys[0]?.spans.length);
      const tab = await browser.newPage();
      await tab.goto(`${other.url}#/trace/${Buffer.from(journeys[1]?.traceId ?? []).toString("hex")}`);
      await tab
        .getByText(journeys[1]?.spans[1]?.shape.name ?? "")
        .first()
        .waitFor({ timeout: 60_000 });
      await tab.close();
      const missing = await fetch(`${other.url}api/traces/${"0".repeat(31)}1`);
      assert.equal(missing.status, 404);
    } finally {
      other.running.child.kill("SIGTERM");
      assert.equal((await other.running.result).code, 0);
    }
  });

  it("says that no Jaeger answers, and goes on; a URL that is none is refused", async () => {
    const [port] = await findFreePorts(1);
    const alone = await startPage(["--jaeger", `http://127.0.0.1:${port}`]);
    await alone.running.untilStderr(/cannot read http:\/\/127\.0\.0\.1:\d+\/api\/v3\/services: ECONNREFUSED/);
    assert.equal((await fetch(alone.url)).status, 200);
    alone.running.child.kill("SIGTERM");
    assert.equal((await alone.running.result).code, 0);
    const { code, stderr } = await runSkbspan(["page", "--jaeger", "127.0.0.1:16686"]);
    assert.equal(code, 2);
    assert.match(stderr, /--jaeger must be the URL/);
  });
});
