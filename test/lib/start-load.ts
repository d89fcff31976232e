import type { TestContext } from "node:test";
import type { OtlpSink } from "../../exporter/export/create-otlp-sink.js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { assertBalance } from "./account-for.js";
import { collectJourneys } from "./collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "./example-recordings.js";
import { numberJourneys } from "./number-journeys.js";

export interface Load {
  readonly made: JourneySpans[];
  /** Rejects when the balance was wrong at any time. */
  stop(): Promise<void>;
}

const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;
const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;

/** Journeys again and again, of some 9 KiB each, with a drop in every round. The balance is checked all the time. */
export function startLoad(context: TestContext, sink: OtlpSink, { everyMs = 20, ordinary = 9 } = {}): Load {
  const made: JourneySpans[] = [];
  let isRunning = true;
  const run = async (): Promise<void> => {
    while (isRunning) {
      const first = made.length;
      const more = [...numberJourneys(delivered, ordinary, first), ...numberJourneys(dropped, 1, first)];
      for (const journey of more) sink.accept(journey);
      made.push(...more);
      assertBalance(sink, made);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const running = run();
  const stop = (): Promise<void> => {
    isRunning = false;
    return running;
  };
  context.after(stop);
  return { made, stop };
}
