import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ScenarioCheck, ScenarioReport } from "./scenario-report.js";

/** Every scenario as a subtest, and every journey that it expects as one of that. */
export async function assertReport(context: TestContext, report: ScenarioReport): Promise<void> {
  context.diagnostic(`kernel ${report.kernelRelease}, ${report.attachedFunctions} probes in ${report.attachMs} ms`);
  assert.ok(report.scenarios.length > 0, "no scenario was run");
  for (const { name, title, skipped, checks } of report.scenarios)
    await context.test(`${name}: ${title}`, { skip: skipped === "" ? false : skipped }, (scenario) =>
      assertChecks(scenario, checks),
    );
  await context.test("the whole run", (run) => assertChecks(run, report.totals));
}

async function assertChecks(context: TestContext, checks: readonly ScenarioCheck[]): Promise<void> {
  assert.ok(checks.length > 0, "nothing was checked");
  for (const { title, mistake, skipped } of checks) {
    // Not a test that could not be run: this backend has nothing to show there.
    if (skipped !== "") context.diagnostic(`not expected here: ${title}: ${skipped}`);
    else await context.test(title, () => assert.ok(mistake === "", mistake));
  }
}
