import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryRecording } from "../../test/lib/arbitrary-recording.js";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { createRequestBuilder } from "./create-request-builder.js";
import { weighJourney } from "./weigh-journey.js";

test("a journey weighs no less than the request that holds it, and little more", () => {
  fc.assert(
    fc.property(arbitraryRecording, (recording) => {
      for (const journey of collectJourneys(recording)) {
        const builder = createRequestBuilder();
        builder.add(journey);
        const { length } = builder.finish();
        const weight = weighJourney(journey);
        assert.ok(weight >= length && weight <= length + 100, `${weight} for ${length} bytes`);
      }
    }),
  );
});

test("a journey weighs the same, however many were weighed before", () => {
  const [journey] = fc
    .sample(arbitraryRecording, { numRuns: 1, seed: 7 })
    .flatMap((recording) => collectJourneys(recording));
  assert.ok(journey);
  const weights = new Set(Array.from({ length: 2_500 }, () => weighJourney(journey)));
  assert.equal(weights.size, 1);
});
