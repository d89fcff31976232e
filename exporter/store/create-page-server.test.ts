import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { buildJourney, buildSpan, traceIdOf } from "../../test/lib/build-span.js";
import type { ErrorAnswer, JourneysAnswer, PathsAnswer, SummaryAnswer, TraceAnswer } from "./api-types.js";
import { createPageServer } from "./create-page-server.js";
import { createTraceStore, DEFAULT_STORE_LIMITS } from "./create-trace-store.js";
import { ListenError } from "./listen-error.js";

const store = createTraceStore();
const options = { store, limits: DEFAULT_STORE_LIMITS, port: 0, pageDirectory: "/nowhere" };
const server = createPageServer(options);
let url = "";
let port = 0;

before(async () => {
  ({ url, port } = await server.start());
  for (let number = 1; number <= 30; number++) store.add(buildJourney(number, ["ip_rcv"]));
});
after(() => server.close());

async function ask<Answer>(path: string, status = 200): Promise<Answer> {
  const response = await fetch(url + path);
  assert.equal(response.status, status);
  return (await response.json()) as Answer;
}

describe("the page's server", () => {
  it("answers journeys, paths, a trace and a summary", async () => {
    const journeys = await ask<JourneysAnswer>("api/journeys?end=delivered&limit=10");
    assert.deepEqual([journeys.total, journeys.matched, journeys.journeys.length], [30, 30, 10]);
    assert.deepEqual(journeys.ends, { delivered: 30 });
    const paths = await ask<PathsAnswer>("api/paths");
    assert.deepEqual([paths.matched, paths.paths[0]?.count], [1, 30]);
    assert.equal((await ask<TraceAnswer>(`api/traces/${traceIdOf(7)}`)).spans.length, 2);
    const summary = await ask<SummaryAnswer>("api/summary");
    assert.deepEqual([summary.journeys, summary.faults, summary.store.spans], [30, 0, 60]);
  });

  it("counts traces of applications apart from journeys", async () => {
    const get = buildSpan({ name: "GET /cart", traceId: traceIdOf(900), scope: { name: "http", version: "1" } });
    store.add([get]);
    const { matched, matchedApplications } = await ask<JourneysAnswer>("api/journeys");
    assert.deepEqual([matched, matchedApplications], [31, 1]);
    store.clear();
    for (let number = 1; number <= 30; number++) store.add(buildJourney(number, ["ip_rcv"]));
  });

  it("shows what comes later at once", async () => {
    const { revision } = await ask<JourneysAnswer>("api/journeys");
    store.add(buildJourney(31, ["tcp_v4_rcv"]));
    const changed = await ask<JourneysAnswer>("api/journeys?function=tcp_v4");
    assert.ok(changed.revision > revision);
    assert.equal(changed.matched, 1);
  });

  it("answers nothing again until something has changed", async () => {
    const path = `${url}api/traces/${traceIdOf(7)}`;
    const etag = (await fetch(path)).headers.get("etag") ?? "";
    const again = () => fetch(path, { headers: { "if-none-match": etag } });
    assert.equal((await again()).status, 304);
    store.add(buildJourney(8, ["tcp_v4_rcv"]));
    assert.equal((await again()).status, 304, "another trace changed");
    store.add(buildJourney(7, ["tcp_v4_rcv"]));
    assert.equal((await again()).status, 200);
  });

  it("says what is wrong with a query, and what a trace's absence means", async () => {
    assert.match(
      (await ask<ErrorAnswer>("api/journeys?port=99999", 400)).error,
      /port must be a whole number from 0 to 65535; it is "99999"/,
    );
    assert.match(
      (await ask<ErrorAnswer>("api/journeys?sort=best", 400)).error,
      /sort must be one of newest, worst, slowest/,
    );
    assert.match((await ask<ErrorAnswer>(`api/traces/${traceIdOf(999)}`, 404)).error, /evicted/);
    await ask<ErrorAnswer>("api/nothing", 404);
  });

  it("allows nothing to be loaded from elsewhere", async () => {
    const policy = (await fetch(`${url}api/summary`)).headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  });

  it("answers only to names of this machine, so that no website can read it by pointing its own name here", async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { host: `evil.example:${port}` };
      request({ host: "127.0.0.1", port, path: "/api/summary", headers }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on("error", reject)
        .end();
    });
    assert.equal(status, 403);
  });

  it("says how to build a page that is not there", async () => {
    const response = await fetch(url);
    assert.equal(response.status, 503);
    assert.match(await response.text(), /npm run build/);
  });

  it("says so when its port is taken", async () => {
    await assert.rejects(createPageServer({ ...options, port }).start(), (error) => {
      assert.ok(error instanceof ListenError);
      assert.match(error.message, /the page cannot listen on 127.0.0.1:\d+: another program listens there already/);
      return true;
    });
  });
});
