import { test } from "node:test";
import { assertReport } from "../kernels/assert-report.js";
import { runScenarios } from "../kernels/scenario-runner.js";

const isRoot = process.getuid?.() === 0;

test(
  "the scenarios on this machine's own kernel",
  { skip: isRoot ? false : "needs root, for namespaces and tracing: run the tests with sudo", timeout: 300_000 },
  async (context) => {
    const report = await runScenarios({
      backend: "auto",
      only: [],
      settleMs: 5_000,
      isShowing: false,
      onProgress: (line) => context.diagnostic(line),
    });
    await assertReport(context, report);
  },
);
