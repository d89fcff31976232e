import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DeliveryCounts } from "./delivery-counts.js";

test("every journey and span of a request counts once, and a journey counts as sent only when it surely is whole", () => {
  const request = fc
    .record({ journeys: fc.integer({ min: 1, max: 50 }), spansEach: fc.integer({ min: 1, max: 30 }) })
    .map(({ journeys, spansEach }) => ({ journeys, spans: journeys * spansEach }));
  fc.assert(
    fc.property(request, fc.integer({ min: 0, max: 2000 }), ({ journeys, spans }, rejectedSpans) => {
      const counts = new DeliveryCounts();
      counts.send({ journeys, spans }, rejectedSpans);
      assert.equal(counts.sentJourneys + counts.lostJourneys.rejected, journeys);
      assert.equal(counts.sentSpans + counts.lostSpans.rejected, spans);
      // The worst a receiver can have done: one span out of as many journeys as it left out spans.
      assert.equal(counts.sentJourneys, rejectedSpans >= spans ? 0 : Math.max(0, journeys - rejectedSpans));
    }),
  );
});
