import type { Context } from "../../exporter/decode/frame.js";
import type { ExpectedJourney, PacketPattern } from "./scenario.js";
import {
  isFragment,
  renderSeenJourney,
  renderTcpFlags,
  type SeenJourney,
  TRANSPORTS,
  withoutRepetitions,
} from "./seen-journey.js";

const MAX_RENDERED = 12;

/**
 * Undefined when one of the journeys seen is the expected one, entirely; otherwise what is wrong with the closest one.
 * `isStacks`: functions come from kernel stacks (the `tracepoint` backend).
 */
export function findMistake(
  expected: ExpectedJourney,
  seen: readonly SeenJourney[],
  isStacks: boolean,
): string | undefined {
  const candidates = seen.filter((each) => each.contexts.some((context) => matchesPacket(context, expected.packet)));
  if (candidates.length === 0)
    return `no journey of such a packet (${JSON.stringify(expected.packet)}) was seen; there were:\n${renderAll(seen)}`;
  const judged = candidates.map((candidate) => ({ candidate, mistakes: judge(expected, candidate, isStacks) }));
  judged.sort((left, right) => left.mistakes.length - right.mistakes.length);
  const closest = judged[0];
  if (closest === undefined || closest.mistakes.length === 0) return undefined;
  const others = judged.slice(1).map(({ candidate }) => candidate);
  return (
    `${closest.mistakes.join("\n")}\n    in ${renderSeenJourney(closest.candidate)}` +
    (others.length === 0 ? "" : `\n  other journeys of such packets:\n${renderAll(others)}`)
  );
}

function judge(expected: ExpectedJourney, seen: SeenJourney, isStacks: boolean): string[] {
  return [
    judgeFunctions(isStacks ? expected.stackFunctions : expected.functions, seen.functions),
    judgePath(expected.path, seen.path),
    judgeAddresses("destination", expected.destinations, seen.contexts),
    judgeAddresses("source", expected.sources, seen.contexts),
    judgeWord("end", expected.end, seen.end),
    judgeWord("drop reason", expected.dropReason, seen.dropReason),
    judgeWord("function that dropped", expected.dropFunction, seen.dropFunction),
    seen.lostHops === 0 ? undefined : `${seen.lostHops} hops were lost`,
  ].filter((mistake) => mistake !== undefined);
}

function judgeFunctions(expected: readonly string[], seen: readonly string[]): string | undefined {
  let from = 0;
  for (const [index, names] of expected.entries()) {
    const alternatives = names.split("|");
    const found = seen.findIndex((name, position) => position >= from && alternatives.includes(name));
    if (found < 0) {
      const before = index === 0 ? "" : ` after ${expected.slice(0, index).join(" ")}`;
      return `the function ${names} is missing${before}; expected in this order: ${expected.join(" ")}`;
    }
    from = found + 1;
  }
  return undefined;
}

function judgePath(expected: readonly string[], seen: readonly string[]): string | undefined {
  const namespaces = withoutRepetitions(seen.map((place) => place.split("/")[0] ?? ""));
  const wanted = expected.map((place) => place.split("/")[0] ?? "");
  if (namespaces.join(" ") !== wanted.join(" "))
    return `the path crosses the namespaces ${namespaces.join(" ")}, expected ${wanted.join(" ")}`;
  const missing = expected.find((place) => place.includes("/") && !seen.includes(place));
  return missing === undefined ? undefined : `the path ${seen.join(" ")} does not cross ${missing}`;
}

function judgeAddresses(
  side: "source" | "destination",
  expected: readonly string[] | undefined,
  contexts: readonly Context[],
): string | undefined {
  if (expected === undefined) return undefined;
  const addresses = withoutRepetitions(
    contexts
      .filter((context) => context.hasTransport)
      .map((context) =>
        side === "source"
          ? `${context.sourceAddress}:${context.sourcePort}`
          : `${context.destinationAddress}:${context.destinationPort}`,
      ),
  );
  if (addresses.join(" ") === expected.join(" ")) return undefined;
  return `its ${side} was ${addresses.join(", then ")}; expected ${expected.join(", then ")}`;
}

function judgeWord(what: string, expected: string | readonly string[] | undefined, seen: string): string | undefined {
  if (expected === undefined) return undefined;
  const accepted = typeof expected === "string" ? [expected] : expected;
  return accepted.includes(seen) ? undefined : `its ${what} is "${seen}", expected "${accepted.join('" or "')}"`;
}

function matchesPacket(context: Context, pattern: PacketPattern): boolean {
  const wants = <Value>(wanted: Value | undefined, value: Value): boolean => wanted === undefined || wanted === value;
  return (
    wants(pattern.transport === undefined ? undefined : TRANSPORTS[pattern.transport], context.transport) &&
    wants(pattern.arpOperation, context.arpOperation) &&
    wants(pattern.source, context.sourceAddress) &&
    wants(pattern.sourcePort, context.sourcePort) &&
    wants(pattern.destination, context.destinationAddress) &&
    wants(pattern.destinationPort, context.destinationPort) &&
    wants(pattern.tcpFlags, renderTcpFlags(context.tcpFlags)) &&
    wants(pattern.icmpType, context.icmpType) &&
    wants(pattern.icmpCode, context.icmpCode) &&
    wants(pattern.isFragment, isFragment(context)) &&
    context.lengthBytes >= (pattern.minLengthBytes ?? 0) &&
    context.gsoSegments >= (pattern.minGsoSegments ?? 0)
  );
}

function renderAll(journeys: readonly SeenJourney[]): string {
  if (journeys.length === 0) return "    none at all";
  const lines = journeys.slice(0, MAX_RENDERED).map((journey) => `    ${renderSeenJourney(journey)}`);
  if (journeys.length > MAX_RENDERED) lines.push(`    and ${journeys.length - MAX_RENDERED} more`);
  return lines.join("\n");
}
