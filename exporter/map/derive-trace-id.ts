import crypto from "node:crypto";
import type { Context, Journey } from "../decode/frame.js";
import { ETHERTYPE_ARP } from "./describe-packet.js";

const TCP = 6;
const ICMP = 1;
const ICMPV6 = 58;
const ICMP_ECHO_TYPES: readonly number[] = [0, 8];
const ICMPV6_ECHO_TYPES: readonly number[] = [128, 129];
/** SYN, RST, ACK: those that receive offload never merges into another packet's header. */
const STEADY_TCP_FLAGS = 0x16;
const FRAGMENT_OFFSET = 0x1fff;

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
  const invariants = wireContext ? describeOnWire(wireContext) : undefined;
  const text = invariants ?? `${salt}|${journey.startMonotonicNs}|${journey.skbAddress}`;
  const id = sha256(text).subarray(0, 16);
  if (id.every((byte) => byte === 0)) id[15] = 1;
  return id;
}

/**
 * The one call for it, which Node.js has since 20.12, is three times as fast, as long as it gives a text: a buffer would
 * have memory of its own outside of the heap.
 */
function sha256(text: string): Buffer {
  if (typeof crypto.hash === "function") return Buffer.from(crypto.hash("sha256", text, "hex"), "hex");
  return crypto.createHash("sha256").update(text).digest();
}

function describeOnWire(context: Context): string | undefined {
  if (!context.hasNetwork || context.ethertype === ETHERTYPE_ARP || context.ipVersion === 0) return undefined;
  const { sourceAddress, destinationAddress, transport, ipVersion } = context;
  const identification = ipVersion === 4 ? context.ipId : 0;
  const fragment = context.fragment & FRAGMENT_OFFSET;
  const network = `${sourceAddress}|${destinationAddress}|${transport}|${identification}|${fragment}`;
  if (!context.hasTransport) return identification === 0 ? undefined : network;
  const ports = `${context.sourcePort}|${context.destinationPort}`;
  if (transport === TCP) {
    const { tcpSequence, tcpAcknowledgement, tcpWindow, tcpFlags } = context;
    return `${network}|${ports}|${tcpSequence}|${tcpAcknowledgement}|${tcpWindow}|${tcpFlags & STEADY_TCP_FLAGS}`;
  }
  const { icmpType, icmpCode, icmpId, icmpSequence } = context;
  const isEcho =
    (transport === ICMP && ICMP_ECHO_TYPES.includes(icmpType)) ||
    (transport === ICMPV6 && ICMPV6_ECHO_TYPES.includes(icmpType));
  if (isEcho) return `${network}|${icmpType}|${icmpId}|${icmpSequence}`;
  if (identification === 0) return undefined;
  return `${network}|${ports}|${icmpType}|${icmpCode}|${context.networkBytes}`;
}

/** Functions in which a packet is made or leaves: a journey that begins there was sent by this node. */
const senders = /xmit|output|local_out|send_skb|sendmsg|make_skb|push_pending|send_ack|retransmit|dev_queue|start_xmit/;

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
