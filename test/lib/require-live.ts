import { spawnSync } from "node:child_process";
import { skbspanPath } from "./run-skbspan.js";

/** Why packets cannot be traced here, or false when they can: for `skip` of tests on this machine's kernel. */
export function whyNotLive(): string | false {
  const { stdout } = spawnSync(process.execPath, [skbspanPath, "doctor", "--json"], { encoding: "utf8" });
  const checks = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { check: string; answer: string; reason: string });
  const missing = checks.find(({ check, answer }) => (check === "tracer" || check === "trace") && answer !== "yes");
  return missing ? `SKIPPED, this machine cannot trace: ${missing.reason}` : false;
}
