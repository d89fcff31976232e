import type { Context, Journey, JourneyEnd } from "../../exporter/decode/frame.js";
import type { NodeState } from "../../exporter/enrich/create-node-state.js";
import { mapJourney } from "../../exporter/map/map-journey.js";
import type { PacketSpan } from "../../exporter/map/packet-span.js";

/** A journey in the words of the scenarios' expectations. */
export interface SeenJourney {
  /** Of the spans of hops, in the order in which they were entered. */
  readonly functions: readonly string[];
  readonly contexts: readonly Context[];
  /** `namespace/interface` by the lab's names, without repetitions. */
  readonly path: readonly string[];
  readonly end: JourneyEnd;
  /** Empty when it was not dropped. */
  readonly dropReason: string;
  readonly dropFunction: string;
  readonly lostHops: number;
}

/** `namespaces`: the lab's names by inode. */
export function readSeenJourney(
  journey: Journey,
  state: NodeState,
  namespaces: ReadonlyMap<number, string>,
): SeenJourney {
  const isDropped = journey.end === "dropped";
  const { spans } = mapJourney(journey, state);
  const places = journey.contexts
    .filter((context) => context.netnsInode !== 0)
    .map((context) => `${namespaces.get(context.netnsInode) ?? context.netnsInode}/${context.interfaceName}`);
  return {
    functions: spans.flatMap(({ shape }) => (shape.kind === "hop" ? [shape.name] : [])),
    contexts: journey.contexts,
    path: withoutRepetitions(places),
    end: journey.end,
    dropReason: isDropped ? state.dropReason(journey.dropReason) : "",
    dropFunction: isDropped ? findDropFunction(journey, spans, state) : "",
    lostHops: journey.lostHops,
  };
}

/** Of the location; where that is not known, of the span that is marked. */
function findDropFunction(journey: Journey, spans: readonly PacketSpan[], state: NodeState): string {
  const symbol = state.symbol(journey.dropLocation);
  if (symbol !== undefined) return withoutSuffix(symbol.name);
  return spans.find(({ shape, fault }) => shape.kind === "hop" && fault !== undefined)?.shape.name ?? "unknown";
}

/** Compilers add to names: `ip_rcv_finish_core.constprop.0`. */
function withoutSuffix(symbol: string): string {
  return symbol.split(".")[0] ?? symbol;
}

export function withoutRepetitions(values: readonly string[]): string[] {
  return values.filter((value, index) => value !== values[index - 1]);
}

/** Two lines: what it was and how it ended, and the functions. */
export function renderSeenJourney(seen: SeenJourney): string {
  const ends = withoutRepetitions(seen.contexts.map(renderContext));
  const drop = seen.end === "dropped" ? ` ${seen.dropReason} in ${seen.dropFunction}` : "";
  return `${ends.join(" => ")} [${seen.path.join(" ")}] ${seen.end}${drop}\n      ${seen.functions.join(" ")}`;
}

function renderContext(context: Context): string {
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = context;
  const detail = [
    context.transport === TRANSPORTS.tcp ? renderTcpFlags(context.tcpFlags) : "",
    context.transport === TRANSPORTS.icmp || context.transport === TRANSPORTS.icmpv6
      ? `type ${context.icmpType} code ${context.icmpCode}`
      : "",
    context.arpOperation === 0 ? "" : `ARP operation ${context.arpOperation}`,
    `${context.lengthBytes} bytes`,
    context.gsoSegments > 1 ? `${context.gsoSegments} segments` : "",
    isFragment(context) ? `fragment 0x${context.fragment.toString(16)}` : "",
  ];
  const transport = Object.entries(TRANSPORTS).find(([, number]) => number === context.transport)?.[0];
  return [
    `${transport ?? context.transport} ${sourceAddress}:${sourcePort} > ${destinationAddress}:${destinationPort}`,
    ...detail.filter((word) => word !== ""),
  ].join(" ");
}

export const TRANSPORTS = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 } as const;

/** As tcpdump writes them: `S`, `S.`, `P.`, `F.`, `R.`, `.`. */
export function renderTcpFlags(flags: number): string {
  const letters = ["F", "S", "R", "P", ".", "U", "E", "W"];
  return ["F", "S", "R", "P", "U", "E", "W", "."].filter((letter) => flags & (1 << letters.indexOf(letter))).join("");
}

/** More follow, or an offset; IPv4's "don't fragment" is no fragment. */
export function isFragment(context: Context): boolean {
  return (context.fragment & 0x3fff) !== 0;
}
