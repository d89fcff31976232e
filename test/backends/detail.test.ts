import assert from "node:assert/strict";
import { test } from "node:test";
import { details } from "../../exporter/map/packet-span.js";
import { runSkbspan } from "../lib/run-skbspan.js";
import { readRecordedJourneys } from "../volume/read-recorded-journeys.js";
import { poll } from "./lib/poll.js";
import { readJson } from "./lib/read-json.js";
import { type Jaeger, startJaeger } from "./lib/start-jaeger.js";

const name = "7.3-kprobe-session";
const journeys = readRecordedJourneys().find((recording) => recording.name === name)?.journeys ?? [];
const traceIds = [...new Set(journeys.map(({ traceId }) => Buffer.from(traceId).toString("hex")))];

interface JaegerSpan {
  readonly operationName: string;
  readonly references: readonly unknown[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly warnings: readonly string[] | null;
}

for (const detail of details)
  test(`by ${detail}: Jaeger has every journey, warns of nothing, and has each drop with its reason`, async (context) => {
    // One for each detail: the same journeys have the same trace ids.
    const jaeger = await startJaeger();
    context.after(() => jaeger.stop());
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.grpcUrl };
    const argv = ["replay", `test/fixtures/recordings/${name}.skbspan`, "--export", "otlp", "--detail", detail];
    const { code, stderr } = await runSkbspan(argv, { environment });
    assert.equal(code, 0, stderr);
    let roots = 0;
    let drops = 0;
    for (const traceId of traceIds)
      for (const { operationName, references, tags, warnings } of await readTrace(jaeger, traceId)) {
        assert.deepEqual(warnings ?? [], [], `${traceId} ${operationName}`);
        const tag = (key: string): unknown => tags.find((candidate) => candidate.key === key)?.value;
        if (tag("error.type") !== undefined && tag("code.stacktrace") !== undefined) drops++;
        if (references.length > 0) continue;
        roots++;
        assert.equal(tag("journey.detail"), detail === "functions" ? undefined : detail);
      }
    assert.equal(roots, journeys.length);
    assert.equal(drops, journeys.filter(({ isFault, journey }) => isFault && journey.stacks.length > 0).length);
    assert.ok(drops > 0);
  });

function readTrace({ queryUrl }: Jaeger, traceId: string): Promise<readonly JaegerSpan[]> {
  return poll(`the trace ${traceId} in Jaeger`, async () => {
    const answer = await readJson<{ data: { spans: JaegerSpan[] }[] }>(`${queryUrl}/api/traces/${traceId}`).catch(
      () => undefined,
    );
    return answer?.data[0]?.spans;
  });
}
