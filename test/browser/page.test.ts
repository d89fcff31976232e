import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { JourneySummary, PathsAnswer } from "../../exporter/store/api-types.js";
import { wire, wireJourneyEnd } from "../../exporter/wire/layout.js";
import { ACK, buildConnection, connectionRealtimeNs, FIN, PSH, SYN } from "../lib/build-connection.js";
import { BROWSER_FLAGS, BROWSER_PATH } from "./browser.js";
import { buildLongRecording, buildPageRecording, PER_ROUND } from "./build-page-recording.js";
import { type RunningPage, startPage } from "./start-page.js";

/** This folder, and not that of what was compiled from it. */
const SOURCES = new URL("../../../test/browser/", import.meta.url);

const RECORDINGS = new URL("../fixtures/recordings/", SOURCES);

const ROUNDS = 10;
const PHONE = { width: 390, height: 844 };
const LONG_JOURNEY_HOPS = 1_000;

const skip = existsSync(BROWSER_PATH)
  ? false
  : `there is no browser at ${BROWSER_PATH}: install chromium, or set CHROMIUM`;

describe("the page in a browser", { skip, timeout: 600_000 }, () => {
  let running: RunningPage;
  let browser: Browser;

  before(async () => {
    execFileSync(process.execPath, [fileURLToPath(new URL("../../exporter/web/bundle.mjs", SOURCES))]);
    running = await startPage();
    await running.send(buildPageRecording({ rounds: ROUNDS }));
    browser = await chromium.launch({ executablePath: BROWSER_PATH, args: BROWSER_FLAGS });
  });
  after(async () => {
    await browser?.close();
    await running?.close();
  });

  /** Opens the page and fails the test on an error in the console, or on a request to anywhere else. */
  async function withPage(
    hash: string,
    act: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on(
      "request",
      (request) => request.url().startsWith(running.url) || complaints.push(`asked for ${request.url()}`),
    );
    try {
      await page.goto(running.url + hash);
      await act(page);
    } finally {
      await context.close();
    }
    assert.deepEqual(complaints, []);
  }

  const rows = (page: Page) => page.locator(".journey");
  const openFirst =
    (end: string, transport = "TCP") =>
    async (page: Page) => {
      const row = rows(page)
        .filter({ has: page.locator(`.end:has-text("${end}")`) })
        .filter({ hasText: transport })
        .first();
      await row.click();
      await page.locator("[role=treegrid]").waitFor();
    };
  const scrollsSideways = (page: Page) =>
    page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth") as Promise<boolean>;

  it("lists journeys, with the causes of drops above them", () =>
    withPage("", async (page) => {
      await rows(page).first().waitFor();
      assert.equal(await rows(page).count(), ROUNDS * PER_ROUND.journeys);
      const cards = page.locator(".drop-card");
      assert.equal(await cards.count(), 2);
      const text = await cards.filter({ hasText: "NETFILTER_DROP" }).innerText();
      assert.match(text, /in nf_hook_slow · node/);
      assert.match(text, /tcp to 10\.9\.2\.2:8081/);
      assert.match(text, new RegExp(`${ROUNDS} packets`));
      const top = await cards.first().boundingBox();
      const list = await rows(page).first().boundingBox();
      assert.ok(top && list && top.y < list.y);
      assert.match(
        await page.locator(".counts").innerText(),
        new RegExp(`${ROUNDS * PER_ROUND.journeys} journeys\\s+${ROUNDS * PER_ROUND.faults} dropped`),
      );
    }));

  const filters: readonly [string, (page: Page) => Promise<unknown>, number][] = [
    [
      "end",
      (page) => page.getByLabel("End", { exact: true }).selectOption("transmitted"),
      ROUNDS * PER_ROUND.transmitted,
    ],
    ["address", (page) => page.getByLabel("Address").fill("2001:db8::1"), ROUNDS * PER_ROUND.transmitted],
    ["port", (page) => page.getByLabel("Port").fill("8081"), ROUNDS],
    ["namespace", (page) => page.getByLabel("Namespace").selectOption("client"), ROUNDS * 6],
    ["function", (page) => page.getByLabel("Function").fill("nf_nat"), ROUNDS * PER_ROUND.delivered],
    ["duration", (page) => page.getByLabel("Shortest duration").selectOption("100000"), ROUNDS * PER_ROUND.delivered],
    ["text", (page) => page.getByLabel("Search").fill("no_socket 5353"), ROUNDS],
  ];
  for (const [name, fill, expected] of filters) {
    it(`filters by ${name}, and the address bar keeps it`, () =>
      withPage("", async (page) => {
        await rows(page).first().waitFor();
        await fill(page);
        await page.locator(".list-title", { hasText: new RegExp(`^${expected} journey`) }).waitFor();
        assert.equal(await rows(page).count(), expected);
        await page.reload();
        await page.locator(".list-title", { hasText: new RegExp(`^${expected} journey`) }).waitFor();
      }));
  }

  it("puts the worst first when asked to", () =>
    withPage("#/journeys?sort=worst", async (page) => {
      await rows(page).first().waitFor();
      const faults = await page.locator(".journey.is-fault").count();
      assert.equal(faults, ROUNDS * PER_ROUND.faults);
      const ends = await rows(page).evaluateAll((links) => links.map((link) => link.classList.contains("is-fault")));
      assert.deepEqual(ends.slice(0, faults), Array(faults).fill(true));
    }));

  it("shows a journey's path: namespaces, interfaces, translation, wait and end", () =>
    withPage("", async (page) => {
      await openFirst("delivered")(page);
      const stations = page.locator(".station");
      assert.deepEqual(await stations.locator("h3").allInnerTexts(), ["client", "node", "server"]);
      const text = (await stations.allInnerTexts()).map((station) => station.replace(/\s+/g, " "));
      assert.match(text[0] ?? "", /process curl eth0/);
      assert.match(
        text[1] ?? "",
        /veth-client destination NAT 10\.96\.0\.1:80 → 10\.9\.2\.2:8080 veth-server TTL 64 → 63/,
      );
      assert.match(text[2] ?? "", /eth0 waits .* in socket receive queue ✓ delivered/);
    }));

  it("draws hops nested, in lanes, with waits, and their bars within those that enclose them", () =>
    withPage("", async (page) => {
      await openFirst("delivered")(page);
      assert.deepEqual(await page.locator(".lane b").allInnerTexts(), ["client", "node", "server"]);
      const level = (name: string) =>
        page.locator(`[role=row]:has(.row-label:text-is("${name}"))`).first().getAttribute("aria-level");
      assert.deepEqual(
        await Promise.all(["tcp packet", "tcp_sendmsg_locked", "__tcp_transmit_skb", "ip_rcv"].map(level)),
        ["1", "2", "3", "3"],
      );
      assert.ok((await page.locator(".row.role-wait").count()) >= 2);
      const bar = (name: string) =>
        page.locator(`[role=row]:has(.row-label:text-is("${name}")) .bar`).first().boundingBox();
      const [outer, inner] = [await bar("ip_forward"), await bar("ip_output")];
      assert.ok(outer && inner);
      const [inside] = await page
        .locator(`[role=row]:has(.row-label:text-is("ip_output")) .bar`)
        .evaluateAll((bars) => bars.map((one) => one.getBoundingClientRect().left).slice(1));
      assert.ok(inside !== undefined && inside >= outer.x);
      assert.equal(await page.locator(".lane-line").count(), 3);
    }));

  it("says where a packet was dropped, why, and what to do", () =>
    withPage("", async (page) => {
      await page.locator(".drop-card", { hasText: "NETFILTER_DROP" }).locator(".drop-main").click();
      const banner = page.locator(".banner.is-fault").first();
      await banner.waitFor();
      assert.match(
        await banner.innerText(),
        /NETFILTER_DROP\s+dropped in nf_hook_slow\+0xd3 · node · veth-client[\s\S]*What to do: \S+/,
      );
      assert.match(await page.locator(".stop-drop").innerText(), /NETFILTER_DROP nf_hook_slow/);
      const row = page.locator(".row.is-fault.role-hop");
      assert.match(await row.innerText(), /nf_hook_slow[\s\S]*✕ NETFILTER_DROP/);
      assert.equal(await row.getAttribute("aria-selected"), "true");
      assert.match(await page.locator(".panel").innerText(), /skb\.drop\.location\s+nf_hook_slow\+0xd3/);
    }));

  it("does not paint a drop by design red", () =>
    withPage("", async (page) => {
      await rows(page).filter({ hasText: "TCP_OLD_DATA" }).first().click();
      await page.locator(".banner").waitFor();
      assert.match(await page.locator(".banner").innerText(), /given up, by design/);
      assert.equal(await page.locator(".banner.is-fault, .row.is-fault, .stop-drop.is-fault").count(), 0);
    }));

  it("groups journeys of one path, and leads from a path to its journeys", () =>
    withPage("#/paths", async (page) => {
      const paths = page.locator(".path");
      await paths.first().waitFor();
      assert.equal(await paths.count(), 5);
      assert.match(
        (await paths.first().innerText()).replace(/\s+/g, " "),
        new RegExp(`^${ROUNDS * PER_ROUND.delivered} journeys ✓ ?delivered .*p50 \\d.* p99 \\d`),
      );
      await paths.first().click();
      await page.locator(".list-title", { hasText: `${ROUNDS * PER_ROUND.delivered} journeys` }).waitFor();
    }));

  it("works by keyboard alone", () =>
    withPage("", async (page) => {
      await rows(page).first().waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("nf_nat");
      await page.locator(".list-title", { hasText: `${ROUNDS * PER_ROUND.delivered} journeys` }).waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      assert.equal(await rows(page).nth(1).and(page.locator(":focus")).count(), 1);
      await page.keyboard.press("Enter");
      await page.locator("[role=treegrid]").waitFor();
      for (const key of ["ArrowDown", "j", "ArrowDown", "k"]) await page.keyboard.press(key);
      const focused = page.locator("[role=row]:focus");
      assert.equal(await focused.locator(".row-label").innerText(), "__tcp_transmit_skb");
      assert.match(await page.locator(".panel h2").innerText(), /__tcp_transmit_skb/);
      const before = await page.locator("[role=row]").count();
      await page.keyboard.press("ArrowLeft");
      assert.equal(await focused.getAttribute("aria-expanded"), "false");
      assert.ok((await page.locator("[role=row]").count()) < before);
      await page.keyboard.press("ArrowRight");
      assert.equal(await page.locator("[role=row]").count(), before);
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      assert.notEqual(outline, "none");
      await page.keyboard.press("Escape");
      await rows(page).first().waitFor();
      assert.match(page.url(), /text=nf_nat/);
      await page.keyboard.press("Escape");
      await page.locator(".list-title", { hasText: `${ROUNDS * PER_ROUND.journeys} journeys` }).waitFor();
      await page.keyboard.press("2");
      await page.locator(".path").first().waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      assert.equal(await page.getByRole("dialog").count(), 0);
    }));

  it("opens a link to a span of a journey", () =>
    withPage("", async (page) => {
      await openFirst("delivered")(page);
      await page.locator(`[role=row]:has(.row-label:text-is("tcp_v4_rcv"))`).click();
      await page.waitForURL(/span=/);
      const link = page.url();
      assert.match(link, /#\/trace\/[0-9a-f]{32}\/[0-9a-f]{16}\?span=[0-9a-f]{16}$/);
      await page.goto("about:blank");
      await page.goto(link);
      await page.locator(".panel h2", { hasText: "tcp_v4_rcv" }).waitFor();
    }));

  it("fits a phone, list and journey, and opens attributes over the waterfall", () =>
    withPage(
      "",
      async (page) => {
        await rows(page).first().waitFor();
        assert.equal(await scrollsSideways(page), false);
        await page.getByRole("button", { name: "Filters" }).click();
        await page.getByLabel("Port").fill("8081");
        assert.equal(await scrollsSideways(page), false);
        await page.locator(".list-title", { hasText: new RegExp(`^${ROUNDS} journeys`) }).waitFor();
        await rows(page).first().click();
        await page.locator("[role=treegrid]").waitFor();
        assert.equal(await scrollsSideways(page), false);
        assert.equal(await page.locator(".panel").isVisible(), false);
        await page.locator(".row.is-fault.role-hop").click();
        assert.equal(await page.locator(".panel").isVisible(), true);
        await page.getByRole("button", { name: "Close" }).click();
        assert.equal(await page.locator(".panel").isVisible(), false);
        await page.goto(`${running.url}#/paths`);
        await page.locator(".path").first().waitFor();
        assert.equal(await scrollsSideways(page), false);
      },
      { viewport: PHONE, hasTouch: true },
    ));

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has text of enough contrast in ${colorScheme} mode`, () =>
      withPage(
        "",
        async (page) => {
          await rows(page).first().waitFor();
          assert.deepEqual(await findFaintText(page), []);
          await page.locator(".drop-main").first().click();
          await page.locator("[role=treegrid]").waitFor();
          assert.deepEqual(await findFaintText(page), []);
        },
        { colorScheme },
      ));
  }

  it("changes its colours with a key, and remembers", () =>
    withPage(
      "",
      async (page) => {
        await rows(page).first().waitFor();
        const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
        const light = await ground();
        const isDark = `getComputedStyle(document.body).backgroundColor !== ${JSON.stringify(light)}`;
        for (let press = 0; press < 2; press++) await page.keyboard.press("t");
        await page.waitForFunction(isDark); // drawn a moment after the key
        await page.reload();
        await rows(page).first().waitFor();
        await page.waitForFunction(isDark);
      },
      { colorScheme: "light" },
    ));

  it("does not move when motion is not wanted", () =>
    withPage(
      "",
      async (page) => {
        await rows(page).first().waitFor();
        const animation = await page.evaluate('getComputedStyle(document.querySelector(".pulse")).animationName');
        assert.equal(animation, "none");
      },
      { reducedMotion: "reduce" },
    ));

  it("opens a journey of 1,000 hops in less than a second, and moves in it at once", async (test) => {
    await running.send(buildLongRecording(LONG_JOURNEY_HOPS));
    await withPage("", async (page) => {
      const row = rows(page).filter({ hasText: "1,000 hops" });
      await row.waitFor();
      const readCpuMs = await meterCpu(page);
      const start = performance.now();
      await row.click();
      await page
        .locator(".row.role-hop")
        .nth(LONG_JOURNEY_HOPS - 1)
        .waitFor({ state: "attached" });
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const [openMs, openCpuMs] = [performance.now() - start, await readCpuMs()];
      for (let press = 0; press < 20; press++) await page.keyboard.press("j");
      const moveCpuMs = ((await readCpuMs()) - openCpuMs) / 20;
      test.diagnostic(
        `opened in ${openMs.toFixed(0)} ms, ${openCpuMs.toFixed(0)} ms of CPU; a move takes ${moveCpuMs.toFixed(0)} ms of CPU`,
      );
      assert.equal(await page.locator(".row.role-hop").count(), LONG_JOURNEY_HOPS);
      // The page's own time: other tests may have the machine's processors as well.
      assert.ok(openCpuMs < 1_000, `it took ${openCpuMs.toFixed(0)} ms of CPU`);
      assert.ok(moveCpuMs < 50, `a move took ${moveCpuMs.toFixed(0)} ms of CPU`);
    });
  });

  it("shows an application's trace, and the packets of its request under the span that sent it", async () => {
    const client = await sendApplicationTrace(running);
    const { traceId } = client;
    await withPage(`#/trace/${traceId}`, async (page) => {
      await page.locator("[role=treegrid]").waitFor();
      const labels = () => page.locator(".row-label").allInnerTexts();
      assert.deepEqual(await labels(), ["GET /cart", "GET", "GET /cart/:id"]);
      await running.send(buildRequestRecording(client));
      await page.locator(".row-label", { hasText: "tcp packet dropped" }).waitFor();
      await page.reload();
      await page.locator(".row-label", { hasText: "nf_hook_slow" }).waitFor();
      assert.deepEqual(await labels(), [
        "GET /cart",
        "GET",
        "tcp packet SYN",
        "tcp packet SYN,ACK",
        "tcp packet ACK",
        "tcp packet dropped PSH,ACK",
        "__tcp_transmit_skb",
        "nf_hook_slow",
        "tcp packet PSH,ACK",
        "GET /cart/:id",
        "tcp packet PSH,ACK",
        "tcp packet FIN,ACK",
      ]);
      const levels = await Promise.all((await page.locator(".row").all()).map((row) => row.getAttribute("aria-level")));
      assert.deepEqual(levels, ["1", "2", "3", "3", "3", "3", "4", "5", "3", "3", "3", "3"].map(String));
      assert.deepEqual(
        (await page.locator(".role-journey .note").allInnerTexts()).map((note) => note.trim()),
        [
          "handshake",
          "handshake",
          "handshake",
          "data",
          "retransmission",
          "data of the response",
          "close of the response",
        ],
      );
      await page.locator(".scope select").selectOption({ index: 4 });
      await page.locator(".scope", { hasText: "sent by GET of shop" }).waitFor();
      assert.deepEqual(await labels(), ["tcp packet dropped PSH,ACK", "__tcp_transmit_skb", "nf_hook_slow"]);
    });
    await withPage(`#/journeys?text=${traceId}&sort=slowest`, async (page) => {
      await page.locator(".list-title", { hasText: /^7 journeys · 1 application trace$/ }).waitFor();
      const row = page.locator(".journey", { hasText: "GET /cart" }).filter({ hasText: "application" }).first();
      const text = (await row.innerText()).replace(/\s+/g, " ");
      assert.match(
        text,
        /application GET \/cart http:\/\/shop\/cart\?id=7 7 packets, 1 dropped .* upstream is slow 3 spans/,
      );
    });
    await withPage(`#/journeys?text=${traceId}&end=application`, async (page) => {
      await page.locator(".list-title", { hasText: /^1 application trace$/ }).waitFor();
    });
  });

  it("says in a whole trace why its packet was dropped, and gives a heading to each service, not to each packet", async () => {
    const client = await sendApplicationTrace(running);
    await running.send(buildRequestRecording(client));
    for (const [colorScheme, viewport] of [
      ["light", undefined],
      ["dark", PHONE],
    ] as const)
      await withPage(
        `#/trace/${client.traceId}`,
        async (page) => {
          const banner = page.locator("section.banner.is-fault");
          await banner.waitFor();
          assert.match(await banner.innerText(), /dropped in __tcp_transmit_skb · namespace/);
          assert.match(await page.locator(".row.is-selected").innerText(), /__tcp_transmit_skb/);
          assert.equal(await page.locator(".title h1 code").innerText(), "http://shop/cart?id=7");
          const lanes = (await page.locator(".lane b").allInnerTexts()).filter((lane) => /^(shop|cart)$/.test(lane));
          assert.deepEqual(lanes, ["shop", "cart"]);
          const from = await page.locator(".role-journey .row-from").allInnerTexts();
          assert.equal(from.length, 7);
          assert.ok(
            from.every((label) => label !== "" && !/shop|cart/.test(label)),
            from.join(),
          );
          const overview = await page.locator(".lane-name").allInnerTexts();
          assert.equal(new Set(overview).size, overview.length, overview.join());
          assert.equal(await scrollsSideways(page), false);
          assert.equal(await page.evaluate(COUNT_NOTES_CUT), 0);
          assert.deepEqual(await findFaintText(page), []);
        },
        { colorScheme, ...(viewport && { viewport, hasTouch: true }) },
      );
  });

  it("shows by itself what comes while it is open, and says what to do while there is nothing", async () => {
    running.store.clear();
    await withPage("", async (page) => {
      const empty = page.locator(".empty");
      await empty.waitFor();
      assert.match(await empty.innerText(), /npx skbspan trace/);
      await running.send(buildPageRecording({ rounds: 1 }));
      await rows(page).first().waitFor();
      assert.equal(await rows(page).count(), PER_ROUND.journeys);
    });
  });

  const recordings = readdirSync(RECORDINGS).filter((name) => name.endsWith(".skbspan"));
  const noRecordings = recordings.length === 0 && "test/fixtures/recordings has no *.skbspan";
  it("draws every kind of journey that real kernels recorded", { skip: noRecordings }, async () => {
    for (const name of recordings) {
      running.store.clear();
      await running.send(readFileSync(new URL(name, RECORDINGS)));
      const paths = await latestOfEachPath(running);
      assert.ok(paths.length > 0, name);
      await withPage("", async (page) => {
        for (const { traceId, spanId, hops } of paths.slice(0, 12)) {
          await page.goto(`${running.url}#/trace/${traceId}/${spanId}`);
          await page.locator(`#span-${spanId}`).waitFor();
          assert.ok((await page.locator(".row.role-hop").count()) >= hops, `${name}: ${traceId}`);
          assert.ok((await page.locator(".station").count()) >= 1, `${name}: ${traceId}`);
          assert.equal(await page.evaluate(COUNT_BARS_OUTSIDE), 0, `${name}: ${traceId}`);
        }
      });
    }
  });

  it("says so when a link leads to a trace that has been forgotten", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${running.url}#/trace/${"9".repeat(32)}`);
    assert.match(await page.getByRole("alert").innerText(), /is not in the store/);
    await context.close();
  });
});

/** How much time the page's main thread has worked since now. */
async function meterCpu(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN) * 1_000;
  };
  const start = await read();
  return async () => (await read()) - start;
}

/** Bars that begin or end outside of the waterfall. Runs in the page. */
const COUNT_BARS_OUTSIDE = `[...document.querySelectorAll(".bar")].filter((bar) => {
  const [inner, outer] = [bar.getBoundingClientRect(), bar.parentElement.getBoundingClientRect()];
  return !(inner.left >= outer.left - 1 && inner.right <= outer.right + 4);
}).length`;

/** Notes beside bars that are cut at the waterfall's edge. Runs in the page. */
const COUNT_NOTES_CUT = `[...document.querySelectorAll(".row .note")].filter((note) => {
  const [inner, outer] = [note.getBoundingClientRect(), note.parentElement.getBoundingClientRect()];
  return inner.left < outer.left - 1 || inner.right > outer.right + 1;
}).length`;

async function latestOfEachPath(running: RunningPage): Promise<JourneySummary[]> {
  const answer = (await (await fetch(`${running.url}api/paths`)).json()) as PathsAnswer;
  return answer.paths.map(({ latest }) => latest);
}

/** Texts whose contrast to the ground behind them is less than WCAG AA asks for. */
function findFaintText(page: Page): Promise<string[]> {
  return page.evaluate(readFileSync(new URL("find-faint-text.js", SOURCES), "utf8")) as Promise<string[]>;
}

/** As applications do it, with the official SDK and exporter: who asks, its request, and who answers. The ids are the request's. */
async function sendApplicationTrace(running: RunningPage): Promise<{ traceId: string; spanId: string }> {
  const { trace, context, SpanKind, SpanStatusCode } = await import("@opentelemetry/api");
  const startMs = Number(connectionRealtimeNs / 1_000_000n);
  const open = (service: string) => {
    const exporter = new OTLPTraceExporter({ url: running.grpcUrl });
    const resource = resourceFromAttributes({ "service.name": service });
    return new NodeTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  };
  const [shop, cart] = [open("shop"), open("cart")];
  const under = (span: ReturnType<ReturnType<typeof shop.getTracer>["startSpan"]>) =>
    trace.setSpan(context.active(), span);
  const attributes = { "url.full": "http://shop/cart?id=7" };
  const asked = shop
    .getTracer("shop")
    .startSpan("GET /cart", { startTime: startMs, kind: SpanKind.SERVER, attributes })
    .setStatus({ code: SpanStatusCode.ERROR, message: "upstream is slow" });
  const options = { startTime: startMs + 1, kind: SpanKind.CLIENT };
  const request = shop.getTracer("http").startSpan("GET", options, under(asked));
  const answering = { startTime: startMs + 215, kind: SpanKind.SERVER };
  cart
    .getTracer("http")
    .startSpan("GET /cart/:id", answering, under(request))
    .end(startMs + 230);
  request.end(startMs + 260);
  asked.end(startMs + 262);
  for (const provider of [shop, cart]) {
    await provider.forceFlush();
    await provider.shutdown();
  }
  return request.spanContext();
}

/** The packets of that request: what carries it is dropped and sent again. */
function buildRequestRecording(ids: { readonly traceId: string; readonly spanId: string }): Uint8Array {
  const data = { flags: PSH | ACK, sequence: 1_000, acknowledgement: 5_000, bytes: 200, lastsMs: 2 };
  return buildConnection()
    .announce()
    .packet({ atMs: 2, flags: SYN, sequence: 999, lastsMs: 1 })
    .packet({ atMs: 4, from: "server", flags: SYN | ACK, sequence: 4_999, acknowledgement: 1_000, lastsMs: 1 })
    .packet({ atMs: 6, flags: ACK, sequence: 1_000, acknowledgement: 5_000, lastsMs: 1 })
    .request({ atMs: 7, sequence: 1_000, ids })
    .packet({ ...data, atMs: 8, end: wireJourneyEnd.dropped, hops: 2, secondHop: "nf_hook_slow" })
    .packet({ ...data, atMs: 210 })
    .request({ atMs: 228, from: "server", sequence: 5_000, ids, flags: wire.requestResponse })
    .packet({ ...data, atMs: 229, from: "server", sequence: 5_000, acknowledgement: 1_200, bytes: 900 })
    .packet({ atMs: 250, from: "server", flags: FIN | ACK, sequence: 5_900, acknowledgement: 1_200, lastsMs: 1 })
    .clock(1_000)
    .bytes();
}
