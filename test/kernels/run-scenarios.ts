/*
 * Runs the scenarios against the real tracer on the kernel that it is started on, and writes a ScenarioReport.
 *
 *   node run-scenarios.js --report FILE [--backend NAME] [--only NAME,NAME] [--settle-ms N] [--show]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runScenarios } from "./scenario-runner.js";

const { values } = parseArgs({
  options: {
    report: { type: "string" },
    backend: { type: "string", default: "auto" },
    only: { type: "string", default: "" },
    "settle-ms": { type: "string", default: "10000" },
    show: { type: "boolean", default: false },
  },
});

const report = await runScenarios({
  backend: values.backend,
  only: values.only === "" ? [] : values.only.split(","),
  settleMs: Number(values["settle-ms"]),
  isShowing: values.show,
  onProgress: (line) => console.log(line),
});
if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(report, undefined, 1)}\n`);
const failed = [...report.totals, ...report.scenarios.flatMap(({ checks }) => checks)].some(
  ({ mistake }) => mistake !== "",
);
process.exitCode = failed ? 1 : 0;
