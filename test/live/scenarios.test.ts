import { test } from "node:test";
import { assertReport } from "../kernels/assert-report.js";
import { runScenarios } from "../kernels/scenario-runner.js";
import { whyNotLive } from "../lib/require-live.js";

test("the scenarios on this machine's own kernel", { skip: whyNotLive(), timeout: 600_000 }, async (context) => {
  const report = await runScenarios({
    backend: "auto",
    only: [],
    settleMs: 15_000,
    isShowing: false,
    onProgress: (line) => context.diagnostic(line),
  });
  await assertReport(context, report);
});
