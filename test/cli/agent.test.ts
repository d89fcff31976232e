import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildExampleRecording } from "../lib/example-recording.js";
import { decodeRequest, type PlainObject, spansOf } from "../lib/otlp-schema.js";
import { type RunningSkbspan, startSkbspan } from "../lib/run-skbspan.js";
import { startOtlpServer } from "../lib/start-otlp-server.js";

async function addressOf(running: RunningSkbspan): Promise<string> {
  await running.untilStderr(/on http:\/\/127\.0\.0\.1:\d+/);
  return /on (http:\/\/127\.0\.0\.1:\d+)/.exec(running.written().stderr)?.[1] ?? "";
}

async function untilStatus(url: string, status: number): Promise<unknown> {
  for (let round = 0; round < 80; round++) {
    const answer = await fetch(url);
    if (answer.status === status) return await answer.json();
    await sleep(100);
  }
  assert.fail(`${url} did not come to answer ${status}`);
}

test("ready after the first frame, not ready while a collector is away, and the losses are told at the end", async () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };
  const argv = ["run", "--from", "-", "--listen", "127.0.0.1:0", "--unready-after", "2s", "--flush-timeout", "1s"];
  const running = startSkbspan(argv, { environment });
  const base = await addressOf(running);
  assert.deepEqual(await untilStatus(`${base}/readyz`, 503), {
    status: "not ready",
    reason: "the tracer is not attached yet",
  });
  const bytes = buildExampleRecording(30);
  running.child.stdin?.write(bytes.subarray(0, bytes.length - 40));
  await untilStatus(`${base}/readyz`, 200);
  const answer = (await untilStatus(`${base}/readyz`, 503)) as { reason: string };
  assert.match(answer.reason, /exporting has failed for \d+ s/);
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
  const metrics = await (await fetch(`${base}/metrics`)).text();
  assert.match(metrics, /^skbspan_drops_total\{reason="NETFILTER_DROP"\} 10$/m);
  assert.match(metrics, /^skbspan_sink_spans_total\{sink="otlp"\} 90$/m);
  assert.match(metrics, /^skbspan_sink_spans_sent_total\{sink="otlp"\} 0$/m);
  assert.match(metrics, /^skbspan_sink_journeys_total\{sink="otlp"\} 30$/m);
  assert.match(metrics, /^skbspan_sink_journeys_sent_total\{sink="otlp"\} 0$/m);
  running.child.kill("SIGTERM");
  const { code, stderr } = await running.result;
  assert.equal(code, 1);
  assert.match(stderr, /exported: 0 of 30 journeys by otlp/);
  assert.match(stderr, /lost: \d+ journeys \(\d+ spans\) not exported by otlp/);
  assert.match(stderr, /No span reached the collector/);
});

test("within limits: drops all leave, what does not is counted, and a journey that left says its detail", async (context) => {
  const receiver = await startOtlpServer(context);
  const argv = ["run", "--from", "-", "--listen", "127.0.0.1:0", "--max-spans-per-second", "9"];
  const running = startSkbspan(argv, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
  const base = await addressOf(running);
  const bytes = buildExampleRecording(60);
  running.child.stdin?.write(bytes.subarray(0, bytes.length - 40));
  const read = async (metric: string): Promise<number> => {
    const text = await (await fetch(`${base}/metrics`)).text();
    return Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${metric} `))
        ?.split(" ")[1],
    );
  };
  for (let round = 0; round < 80 && (await read('skbspan_drops_total{reason="NETFILTER_DROP"}')) < 20; round++)
    await sleep(100);
  assert.equal(await read('skbspan_drops_total{reason="NETFILTER_DROP"}'), 20);
  const byDetail = await Promise.all(
    ["functions", "layers", "summary"].map((detail) => read(`skbspan_volume_journeys_total{detail="${detail}"}`)),
  );
  const left = byDetail.reduce((total, value) => total + value, 0);
  const shed = await Promise.all(
    ["sampled", "burst"].map((cause) => read(`skbspan_volume_journeys_shed_total{cause="${cause}"}`)),
  );
  assert.equal(left + (shed[0] ?? 0) + (shed[1] ?? 0), 60);
  assert.ok(left >= 20 && left < 60, `${left} left`);
  assert.ok((await read("skbspan_volume_journeys_beyond_total")) > 0);
  assert.equal(await read('skbspan_sink_journeys_total{sink="otlp"}'), left);
  running.child.kill("SIGTERM");
  const { code, stderr } = await running.result;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /to stay within --max-\*-per-second: .*left out \d+/);
  const roots = receiver.requests
    .flatMap((request) => spansOf(decodeRequest(request.bytes)))
    .filter(({ parentSpanId }) => parentSpanId === undefined);
  const said = (root: PlainObject): boolean => JSON.stringify(root["attributes"]).includes('"journey.detail"');
  assert.equal(roots.length, left);
  assert.equal(roots.filter(said).length, left - (byDetail[0] ?? 0));
});

test("an address that is taken: exit 1, and which option to change", async () => {
  const first = startSkbspan(["run", "--from", "-", "--listen", "127.0.0.1:0"]);
  const address = (await addressOf(first)).replace("http://", "");
  const second = await startSkbspan(["run", "--from", "-", "--listen", address]).result;
  assert.equal(second.code, 1);
  assert.match(second.stderr, /Cannot listen on .*: another program listens there already\.\n.*--listen/);
  first.child.kill("SIGTERM");
  assert.equal((await first.result).code, 0);
});
