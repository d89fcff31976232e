import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { renderLosses } from "../cli/render-summary.js";
import type { HelloFrame } from "../decode/frame.js";
import type { TracerStats } from "../enrich/create-node-state.js";
import type { Sink } from "../export/sink.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { DemoFindings } from "./demo-findings.js";
import type { DemoServers } from "./start-demo-servers.js";

/** What the demo has come to when it ends. */
export interface DemoOutcome {
  readonly hello: HelloFrame | undefined;
  readonly stats: TracerStats | undefined;
  readonly servers: DemoServers;
  readonly sink: Sink;
  readonly findings: DemoFindings;
  /** 0: it did not answer, or was not asked. */
  readonly pageStatus: number;
}

const CHECK_TIMEOUT_MS = 60_000;
const POLL_MS = 250;

/** Waits until the store holds what the demo is about, at most a minute or until `signal`. */
export async function waitForFindings(read: () => DemoFindings, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + CHECK_TIMEOUT_MS;
  while (performance.now() < deadlineMs && !signal.aborted && missingFindings(read()).length > 0) await sleep(POLL_MS);
}

/** The HTTP status of the page, 0 when it does not answer. */
export async function readPageStatus(pageUrl: string): Promise<number> {
  try {
    const response = await fetch(pageUrl);
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** Writes the one line of JSON of `--check`. Throws UserError when something is not as it should be. */
export function reportCheck(
  { hello, stats, servers, sink, findings, pageStatus }: DemoOutcome,
  output: Writable,
): void {
  // Packets that could not be read, and probe hits that the kernel skipped, are not known to be the demo's: the whole machine's are looked at.
  const ownStats = stats && { ...stats, unreadable: 0, lostMissed: 0 };
  const losses = renderLosses({ stats: ownStats, sinks: [{ name: "otlp", stats: sink.stats() }] }).map((line) =>
    line.trim(),
  );
  const problems = [...missingFindings(findings), ...losses];
  if (pageStatus !== 200) problems.push(`the page ${servers.pageUrl} answers with status ${pageStatus}`);
  const report = {
    ok: problems.length === 0,
    kernel: hello?.kernelRelease ?? "",
    backend: hello?.backend ?? "",
    probes: hello?.attachedFunctions ?? 0,
    ...findings,
    spans: servers.store.stats().receivedSpans,
    losses,
    unreadable: stats?.unreadable ?? 0,
    missed: stats?.lostMissed ?? 0,
    page: { url: servers.pageUrl, status: pageStatus },
    problems,
  };
  output.write(`${JSON.stringify(report)}\n`);
  if (problems.length > 0)
    throw new UserError(exitCode.failure, `The demo is not as it should be: ${problems.join("; ")}.`);
}

/** What of the demo is not in the store, in words; empty: all there. */
function missingFindings(findings: DemoFindings): string[] {
  return [
    findings.deliveredAcross === 0 ? "no journey was delivered from one pod to the other through the node" : "",
    findings.droppedByFirewall === 0 ? "no journey was dropped by the node's firewall" : "",
    findings.dropReasons["NO_SOCKET"] === undefined ? "no journey was dropped for want of a socket" : "",
    findings.underClientSpan === 0 ? "no journey is under a client's span in an application's trace" : "",
    findings.underBlockedRequest === 0
      ? "no dropped SYN is under the client's span of the request to the blocked port"
      : "",
  ].filter((text) => text !== "");
}
