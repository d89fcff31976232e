import type { Context, Journey } from "../decode/frame.js";
import { ETHERTYPE_ARP } from "./describe-packet.js";
import { WordHash } from "./word-hash.js";

const TCP = 6;
const ICMP = 1;
const ICMPV6 = 58;
const ICMP_ECHO_TYPES: readonly number[] = [0, 8];
const ICMPV6_ECHO_TYPES: readonly number[] = [128, 129];
/** SYN, RST, ACK: those that receive offload never merges into another packet's header. */
const STEADY_TCP_FLAGS = 0x16;
const FRAGMENT_OFFSET = 0x1fff;
const TWO_POW_32 = 4294967296;

/**
 * The trace id by what the packet is on the wire, so that two nodes that never talk give both halves of its journey the
 * same id, and what is no forwarding's business makes it unique:
 *
 * - always: addresses, protocol, IPv4 identification and fragment offset
 * - TCP: ports, sequence, acknowledgement, window and the flags SYN, RST, ACK. Not the length: offload changes it.
 * - ICMP echo: type, identifier, sequence
 * - UDP and others: ports and length
 *
 * IPv6, and UDP whose IPv4 identification is 0, have too little that tells two packets of a flow apart unless it is TCP
 * or an echo: there, as for ARP and for what could not be read, `salt` is added, and only this node knows the id.
 */
export function deriveTraceId(journey: Journey, wireContext: Context | undefined, salt: string): Uint8Array {
  const kind = wireContext ? kindOnWire(wireContext) : "local";
  hash.add(kinds.indexOf(kind));
  if (kind === "local" || !wireContext) addLocal(journey, salt);
  else addOnWire(kind, wireContext);
  const id = hash.finish();
  if (id.every((byte) => byte === 0)) id[15] = 1;
  return id;
}

const hash = new WordHash();
const kinds = ["local", "network", "tcp", "echo", "ports"] as const;

/** What makes two packets of the kind different ones; "local": nothing that another node could see as well. */
type WireKind = (typeof kinds)[number];

function kindOnWire(context: Context): WireKind {
  if (!context.hasNetwork || context.ethertype === ETHERTYPE_ARP || context.ipVersion === 0) return "local";
  const { transport, icmpType } = context;
  const isIdentified = identificationOf(context) !== 0;
  if (!context.hasTransport) return isIdentified ? "network" : "local";
  if (transport === TCP) return "tcp";
  if (transport === ICMP && ICMP_ECHO_TYPES.includes(icmpType)) return "echo";
  if (transport === ICMPV6 && ICMPV6_ECHO_TYPES.includes(icmpType)) return "echo";
  return isIdentified ? "ports" : "local";
}

function identificationOf({ ipVersion, ipId }: Context): number {
  return ipVersion === 4 ? ipId : 0;
}

function addLocal({ startMonotonicNs, skbAddress }: Journey, salt: string): void {
  hash.addText(salt);
  hash.add(Number(BigInt.asIntN(32, startMonotonicNs)));
  hash.add(Number(BigInt.asIntN(32, startMonotonicNs >> 32n)));
  hash.add(skbAddress);
  hash.add(skbAddress / TWO_POW_32);
}

function addOnWire(kind: WireKind, context: Context): void {
  hash.addText(context.sourceAddress);
  hash.addText(context.destinationAddress);
  hash.add(context.transport);
  hash.add(identificationOf(context));
  hash.add(context.fragment & FRAGMENT_OFFSET);
  if (kind === "tcp") {
    hash.add(context.sourcePort);
    hash.add(context.destinationPort);
    hash.add(context.tcpSequence);
    hash.add(context.tcpAcknowledgement);
    hash.add(context.tcpWindow);
    hash.add(context.tcpFlags & STEADY_TCP_FLAGS);
  } else if (kind === "echo") {
    hash.add(context.icmpType);
    hash.add(context.icmpId);
    hash.add(context.icmpSequence);
  } else if (kind === "ports") {
    hash.add(context.sourcePort);
    hash.add(context.destinationPort);
    hash.add(context.icmpType);
    hash.add(context.icmpCode);
    hash.add(context.networkBytes);
  }
}

/** Functions in which a packet is made or leaves: a journey that begins there was sent by this node. */
const senders =
  /xmit|transmit_skb|output|local_out|send_skb|sendmsg|make_skb|push_pending|send_ack|retransmit|dev_queue|start_xmit/;

export function isSenderName(probeName: string): boolean {
  return senders.test(probeName);
}

/**
 * The context that shows the packet as it is between nodes: as it left when this node sent it (after address
 * translation), as it came otherwise (before).
 */
export function chooseWireContext({ contexts }: Journey, isSent: boolean): Context | undefined {
  let chosen: Context | undefined;
  for (const context of contexts) {
    if (!context.hasNetwork) continue;
    chosen = context;
    if (!isSent) break;
  }
  return chosen;
}
