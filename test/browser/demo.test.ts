import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { demoNetwork } from "../../exporter/demo/build-demo-network.js";
import { whyNotLive } from "../lib/require-live.js";
import { type RunningSkbspan, runSkbspan, startSkbspan } from "../lib/run-skbspan.js";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
/** Whoever tests may have a collector on the usual ports. */
const FREE_PORTS = ["--port", "0", "--otlp-grpc-port", "0", "--otlp-http-port", "0"];
const TIMEOUT_MS = 180_000;

const { client, node, web } = demoNetwork;

/** One after another: the demo's namespaces have fixed names. */
describe("the demo", { skip: whyNotLive(), timeout: 3 * TIMEOUT_MS }, () => {
  it("checks itself: journeys delivered and dropped, on the page, and nothing left behind", async () => {
    const { code, stdout, stderr } = await runSkbspan(["demo", "--check", ...FREE_PORTS], { timeoutMs: TIMEOUT_MS });
    assert.equal(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.length, 1, `standard output holds one line, and no more:\n${stdout}`);
    const report = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    assert.equal(report["ok"], true);
    assert.deepEqual(report["namespaces"], [node, client, web]);
    assert.deepEqual(report["losses"], []);
    assert.ok(Number(report["deliveredAcross"]) > 0);
    assert.ok(Number(report["functions"]) > 20, stdout);
    assert.ok(Number(report["underClientSpan"]) > 0, stdout);
    assert.ok(Number(report["underBlockedRequest"]) > 0, stdout);
    assertNothingLeft();
  });

  it("says which port is taken and how to choose another, and touches nothing", async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port));
    });
    const { code, stderr } = await runSkbspan([
      "demo",
      "--port",
      "0",
      "--otlp-http-port",
      "0",
      "--otlp-grpc-port",
      String(port),
    ]);
    await new Promise((resolve) => taken.close(resolve));
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`OTLP/gRPC receiver cannot listen on 127\\.0\\.0\\.1:${port}: another program`));
    assert.match(stderr, /--otlp-grpc-port/);
    assertNothingLeft();
  });

  it("shows delivered and dropped journeys in a browser, and ends on Ctrl-C", { skip: whyNoBrowser() }, async () => {
    const demo = startSkbspan(["demo", ...FREE_PORTS], { timeoutMs: TIMEOUT_MS });
    try {
      await demo.untilStderr(/Look at http/);
      await lookAtPage(readPageUrl(demo));
    } finally {
      demo.child.kill("SIGINT");
    }
    const { code, stderr } = await demo.result;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /done: nothing of the demo is left/);
    assertNothingLeft();
  });
});

async function lookAtPage(url: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.setDefaultTimeout(60_000);
    await page.goto(url);
    await seeDropCause(page);
    await seeDeliveredJourney(page);
    await page.goto(url);
    await seeBlockedRequest(page);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
}

async function seeDropCause(page: Page): Promise<void> {
  const card = page.locator(".drop-card", { hasText: "NETFILTER_DROP" });
  await card.first().waitFor();
  const text = await card.first().innerText();
  assert.match(text, new RegExp(`· ${node}`));
  assert.match(text, new RegExp(`tcp to 10\\.218\\.2\\.2:${demoNetwork.blockedPort}`));
}

async function seeDeliveredJourney(page: Page): Promise<void> {
  await page.getByLabel("End", { exact: true }).selectOption("delivered");
  await page.getByLabel("Port").fill(String(demoNetwork.servicePort));
  const row = page.locator(".journey").first();
  await row.waitFor();
  await row.click();
  const grid = page.locator("[role=treegrid]");
  await grid.waitFor();
  await grid.getByText("ip_output").first().waitFor();
  const stations = await page.locator(".station h3").allInnerTexts();
  assert.ok(
    [`${client} ${node} ${web}`, `${web} ${node} ${client}`].includes(stations.join(" ")),
    `the way of the packet is ${stations.join(", ")}`,
  );
  assert.match((await page.locator(".station").allInnerTexts()).join(" "), /NAT/);
}

/** The application's trace of a request that was never answered: its SYNs are under its span, each with why it was dropped. */
async function seeBlockedRequest(page: Page): Promise<void> {
  await page.getByLabel("End", { exact: true }).selectOption("application");
  const row = page.locator(".journey", { hasText: `http://${demoNetwork.webAddress}:${demoNetwork.blockedPort}/` });
  await row.filter({ hasText: "dropped" }).first().click();
  await page.locator("section.banner", { hasText: "NETFILTER_DROP" }).waitFor();
  const label = page.locator(".row-label");
  assert.equal(await label.first().innerText(), "GET");
  const syns = label.filter({ hasText: "tcp packet dropped SYN" });
  await syns.nth(1).waitFor();
  const reasons = await page.locator(".role-hop .note", { hasText: "NETFILTER_DROP" }).count();
  assert.equal(reasons, await syns.count());
  assert.deepEqual(await page.locator(".lane-name").allInnerTexts(), [client, node]);
}

function readPageUrl(demo: RunningSkbspan): string {
  const url = /Look at (http:\S+)/.exec(demo.written().stderr)?.[1];
  assert.ok(url !== undefined);
  return url;
}

function assertNothingLeft(): void {
  const namespaces = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
  for (const name of [client, node, web]) assert.ok(!new RegExp(`^${name}\\b`, "m").test(namespaces), namespaces);
  const processes = execFileSync("ps", ["-eo", "pid,stat,args"], { encoding: "utf8" }).split("\n");
  const scripts = ["demo-client.js", "demo-web-server.js"].map((name) =>
    fileURLToPath(new URL(`../../exporter/demo/${name}`, import.meta.url)),
  );
  const left = processes.filter((line) => scripts.some((script) => line.includes(script)));
  assert.deepEqual(left, []);
}

function whyNoBrowser(): string | false {
  return existsSync(CHROMIUM)
    ? false
    : `SKIPPED, there is no browser at ${CHROMIUM}: install chromium, or set CHROMIUM`;
}
