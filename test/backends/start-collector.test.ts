import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runSkbspan } from "../lib/run-skbspan.js";
import { renderCollectorConfig, startCollector } from "./lib/start-collector.js";

const recording = "test/fixtures/recordings/6.12-kprobe.session-http.skbspan";

test("the Collector accepts every span of a replay, and says so in its own metrics", async () => {
  const collector = await startCollector({ config: renderCollectorConfig });
  try {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.grpcUrl };
    const { code, stderr } = await runSkbspan(["replay", recording, "--export", "otlp"], { environment });
    assert.equal(code, 0, stderr);
    const told = Number(/(\d[\d,]*) spans/.exec(stderr)?.[1]?.replaceAll(",", "") ?? Number.NaN);
    assert.ok(told > 0, stderr);
    let accepted = 0;
    for (let look = 0; look < 300 && accepted < told; look++) {
      accepted = await collector.count("otelcol_receiver_accepted_spans");
      await sleep(100);
    }
    assert.equal(accepted, told);
  } finally {
    await collector.stop();
  }
});
