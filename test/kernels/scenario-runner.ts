import { release } from "node:os";
import type { Journey } from "../../exporter/decode/frame.js";
import { createLab, type Lab } from "../../exporter/demo/lab/create-lab.js";
import type { NodeState } from "../../exporter/enrich/create-node-state.js";
import { findMistake } from "./check-journeys.js";
import { isInstalled } from "./is-installed.js";
import type { Scenario } from "./scenario.js";
import type { ScenarioCheck, ScenarioReport, ScenarioResult } from "./scenario-report.js";
import { scenarios } from "./scenarios/scenarios.js";
import { readSeenJourney, renderSeenJourney, type SeenJourney } from "./seen-journey.js";
import { startTraceSession, type TraceSession } from "./start-trace-session.js";

export interface RunOptions {
  readonly backend: string;
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  /** How long to wait for journeys that are still expected after the traffic. */
  readonly settleMs: number;
  /** Show all journeys seen, also those of scenarios that are as expected. */
  readonly isShowing: boolean;
  readonly onProgress: (line: string) => void;
}

/** All that the scenarios send, and nothing else of what happens on the machine. */
const FILTER = "arp or ip6 or net 10.9.0.0/16";
const POLL_MS = 50;
/** The tracer tells its counts once a second. */
const STATS_PERIOD_MS = 1_200;
const MAX_JOURNEYS = 5_000;

/** One tracer for all scenarios: what one leaves behind in it must not disturb the next. */
export async function runScenarios(options: RunOptions): Promise<ScenarioReport> {
  const chosen = chooseScenarios(options.only);
  let collect: (journey: Journey) => void = () => {};
  await loadModules();
  const startMs = Date.now();
  const expired: Journey[] = [];
  const session = await startTraceSession(["--backend", options.backend, "--filter", FILTER], (journey) => {
    if (journey.end === "expired") expired.push(journey);
    collect(journey);
  });
  const attachMs = Date.now() - startMs;
  const results: ScenarioResult[] = [];
  const { state } = session;
  const { hello } = state;
  options.onProgress(
    `# kernel ${release()}, backend ${hello?.backend}, ${hello?.attachedFunctions} functions attached`,
  );
  try {
    for (const scenario of chosen) {
      const journeys: Journey[] = [];
      collect = (journey) => {
        if (journeys.length < MAX_JOURNEYS) journeys.push(journey);
      };
      const result = await runScenario(scenario, session, journeys, options);
      results.push(result);
      reportProgress(result, options);
    }
    await waitForEnds(session, options.settleMs);
  } finally {
    collect = () => {};
    await session.stop();
  }
  const totals = [...checkCounts(state), checkExpired(expired, state)];
  for (const { title, mistake } of totals)
    if (mistake !== "") options.onProgress(`${title}: NOT as expected: ${mistake}`);
  return {
    kernelRelease: release(),
    backend: hello?.backend ?? "unknown",
    attachedFunctions: hello?.attachedFunctions ?? 0,
    attachMs,
    scenarios: results,
    totals,
  };
}

/** What the scenarios need is loaded on first use; only what is there can be attached. */
async function loadModules(): Promise<void> {
  const lab = await createLab();
  try {
    await lab.addNamespace("modules");
    await lab.addBridge("modules", "br0");
    await lab.nft(
      "modules",
      `table ip modules {
         chain nat { type nat hook prerouting priority dstnat; tcp dport 1 counter dnat to 10.9.2.2:80; }
         chain filter { type filter hook forward priority 0; ct state established counter drop; }
       }`,
    );
    for (const program of ["iptables", "iptables-legacy"])
      if (isInstalled(program))
        await lab.run("modules", [program, "-A", "FORWARD", "-p", "udp", "--dport", "1", "-j", "DROP"]);
  } finally {
    await lab.close();
  }
}

function chooseScenarios(only: readonly string[]): Scenario[] {
  const unknown = only.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined)
    throw new Error(`there is no scenario "${unknown}"; there are: ${scenarios.map(({ name }) => name).join(", ")}`);
  return scenarios.filter(({ name }) => only.length === 0 || only.includes(name));
}

async function runScenario(
  scenario: Scenario,
  session: TraceSession,
  journeys: readonly Journey[],
  options: RunOptions,
): Promise<ScenarioResult> {
  const startMs = Date.now();
  const result = (checks: ScenarioCheck[], skipped = ""): ScenarioResult => {
    return { name: scenario.name, title: scenario.title, durationMs: Date.now() - startMs, skipped, checks };
  };
  const missing = scenario.needs?.find((program) => !isInstalled(program));
  if (missing !== undefined) return result([], `the program \`${missing}\` is not installed`);
  const lab = await createLab();
  try {
    await Promise.race([scenario.build(lab).then(() => scenario.traffic(lab)), session.failed]);
    const checks = await settle(scenario, lab, journeys, session.state, options.settleMs);
    if (options.isShowing) showJourneys(readLabJourneys(journeys, session.state, namesByInode(lab)), options);
    return result(checks);
  } catch (error) {
    return result([
      { title: "the laboratory", skipped: "", mistake: error instanceof Error ? error.message : String(error) },
    ]);
  } finally {
    await lab.close();
  }
}

/** Waits until all expected journeys are there, or the time is over. */
async function settle(
  scenario: Scenario,
  lab: Lab,
  journeys: readonly Journey[],
  state: NodeState,
  settleMs: number,
): Promise<ScenarioCheck[]> {
  const namespaces = namesByInode(lab);
  const isStacks = state.hello?.backend === "tracepoint";
  const deadlineMs = Date.now() + settleMs;
  for (;;) {
    const seen = readLabJourneys(journeys, state, namespaces);
    const checks = scenario.expected.map((expected) => {
      const skipped = (isStacks ? expected.untoldByStacks : undefined) ?? "";
      return {
        title: expected.title,
        skipped,
        mistake: skipped === "" ? (findMistake(expected, seen, isStacks) ?? "") : "",
      };
    });
    checks.push(checkEnds(seen));
    if (checks.every(({ mistake }) => mistake === "") || Date.now() > deadlineMs) return checks;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function namesByInode(lab: Lab): ReadonlyMap<number, string> {
  return new Map([...lab.inodes].map(([name, inode]) => [inode, name]));
}

function showJourneys(seen: readonly SeenJourney[], { onProgress }: RunOptions): void {
  for (const journey of seen) onProgress(`    ${renderSeenJourney(journey)}`);
}

function readLabJourneys(
  journeys: readonly Journey[],
  state: NodeState,
  namespaces: ReadonlyMap<number, string>,
): SeenJourney[] {
  return journeys
    .filter(({ contexts }) => contexts.some(({ netnsInode }) => namespaces.has(netnsInode)))
    .map((journey) => readSeenJourney(journey, state, namespaces));
}

function checkEnds(seen: readonly SeenJourney[]): ScenarioCheck {
  const endless = seen.filter(({ end }) => end === "expired" || end === "unknown").length;
  return {
    title: "every journey has an end",
    skipped: "",
    mistake: endless === 0 ? "" : `${endless} of ${seen.length} journeys are expired or unknown`,
  };
}

/** The kernel takes namespaces apart in the background, and with them what still waits in them. */
async function waitForEnds({ state }: TraceSession, timeoutMs: number): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  do await new Promise((resolve) => setTimeout(resolve, STATS_PERIOD_MS));
  while (state.stats.live > 0 && Date.now() < deadlineMs);
}

/** What never ends, expires: where functions are probed, nothing does. */
function checkExpired(expired: readonly Journey[], state: NodeState): ScenarioCheck {
  const journeys = expired.map((journey) => `    ${renderSeenJourney(readSeenJourney(journey, state, new Map()))}`);
  const isStacks = state.hello?.backend === "tracepoint";
  return {
    title: "no journey expired",
    skipped: isStacks ? "tracepoints do not see every end" : "",
    mistake: isStacks || expired.length === 0 ? "" : `${expired.length} journeys expired:\n${journeys.join("\n")}`,
  };
}

function checkCounts(state: NodeState): ScenarioCheck[] {
  const { stats } = state;
  const ends = stats.delivered + stats.transmitted + stats.dropped + stats.merged + stats.consumed + stats.expired;
  const lost = stats.lostTableFull + stats.lostRingFull + stats.lostHops + stats.lostOutput;
  return [
    { title: "nothing was lost", skipped: "", mistake: lost === 0 ? "" : `lost: ${JSON.stringify(stats)}` },
    {
      title: "every journey that started ended or is under way",
      skipped: "",
      mistake:
        stats.started > 0 && stats.started === ends + stats.live ? "" : `the counts differ: ${JSON.stringify(stats)}`,
    },
  ];
}

function reportProgress(result: ScenarioResult, { onProgress }: RunOptions): void {
  const mistakes = result.checks.filter(({ mistake }) => mistake !== "");
  const outcome =
    result.skipped !== "" ? `skipped: ${result.skipped}` : mistakes.length === 0 ? "as expected" : "NOT as expected";
  onProgress(`${result.name}: ${outcome} (${result.durationMs} ms)`);
  for (const { title, mistake } of mistakes) onProgress(`  ${title}: ${mistake}`);
}
