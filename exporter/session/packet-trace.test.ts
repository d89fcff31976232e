import assert from "node:assert/strict";
import { test } from "node:test";
import { isSummariser, type NodePhase, type NodeStatus, summariseNodes } from "./packet-trace.js";

const entry = (name: string, phase: NodePhase, reason?: string): NodeStatus => ({
  name,
  phase,
  ...(reason ? { reason } : {}),
});

test("the summary is running as long as a node is, and ended unless all failed", () => {
  assert.equal(summariseNodes([]), undefined);
  assert.deepEqual(summariseNodes([entry("a", "Running"), entry("b", "Ended", "over")]), {
    phase: "Running",
    reason: "",
  });
  assert.deepEqual(
    summariseNodes([entry("a", "Failed", "no rights"), entry("b", "Ended", "over"), entry("c", "Ended", "over")]),
    {
      phase: "Ended",
      reason: "no rights; over",
    },
  );
  assert.deepEqual(summariseNodes([entry("a", "Failed", "no rights")]), { phase: "Failed", reason: "no rights" });
});

test("one agent writes the summary, whatever the order of the entries", () => {
  const nodes = [entry("b", "Ended"), entry("a", "Ended"), entry("c", "Ended")];
  assert.deepEqual(
    ["a", "b", "c", "d"].map((node) => isSummariser(nodes, node)),
    [true, false, false, false],
  );
});
