import type { Context, Journey } from "../decode/frame.js";
import type { Connection, ConnectionIndex, Way } from "./create-connection-index.js";
import type { Direction, Owner } from "./direction.js";

/** What a packet has to do with the request that it belongs to. */
export type Part = "data" | "retransmission" | "acknowledgement" | "close" | "handshake";

/** Whose a packet is: more owners than one when a segment carries bytes of several requests. */
export interface Belonging {
  readonly part: Part;
  readonly owners: readonly Owner[];
}

/** "later": it is not known yet. Undefined: nobody's, as far as is known. */
type Answer = Belonging | "later" | undefined;

export interface Finding {
  readonly belonging: Belonging | undefined;
  /** Connections on which more is to come that may say whose it is. */
  readonly waitsFor: readonly Connection[];
}

const TCP = 6;
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;

/** What counts of a TCP segment. */
interface Segment {
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly payloadBytes: number;
  readonly timeNs: bigint;
  /** This node sends it, and it is still where it is sent: it is not a copy on its way. */
  readonly isSent: boolean;
  /** The application has its bytes. */
  readonly isRead: boolean;
}

export interface FindOptions {
  /** A connection that nothing was seen of for so long may be another by now. */
  readonly forgetAfterNs: bigint;
  readonly isSent: (journey: Journey) => boolean;
  /** No more is waited for: what is known now decides. */
  readonly isFinal: boolean;
  /** More is known of the connection. */
  readonly onNews: (connection: Connection) => void;
}

const NOBODY: Finding = { belonging: undefined, waitsFor: [] };

/** Finds out whose the journey's packet is by what it looked like on its way; address translation changes that. */
export function findOwner(journey: Journey, index: ConnectionIndex, options: FindOptions): Finding {
  let best: Belonging | undefined;
  const waitsFor: Connection[] = [];
  for (const context of journey.contexts) {
    if (!isTcp(context)) continue;
    const ways = index.find(context);
    if (ways.length === 0) continue;
    const answer = agree(ways, readSegment(journey, context, options), index, options);
    if (answer === "later") waitsFor.push(...ways.map(({ connection }) => connection));
    else if (answer?.owners.some(({ span }) => span)) return { belonging: answer, waitsFor: [] };
    else best ??= answer;
  }
  return best || waitsFor.length > 0 ? { belonging: best, waitsFor } : NOBODY;
}

/** Undefined: no TCP packet. */
export function isTcp(context: Context): boolean {
  return context.hasTransport && context.transport === TCP && context.transportHeaderBytes > 0;
}

export function isSyn({ tcpFlags }: Context): boolean {
  return (tcpFlags & SYN) !== 0;
}

function readSegment(journey: Journey, context: Context, { isSent }: FindOptions): Segment {
  const ipHeaderBytes = context.ipVersion === 6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
  return {
    sequence: context.tcpSequence,
    acknowledgement: context.tcpAcknowledgement,
    flags: context.tcpFlags,
    payloadBytes: Math.max(0, context.lengthBytes - ipHeaderBytes - context.transportHeaderBytes),
    timeNs: journey.startMonotonicNs,
    isSent: isSent(journey) && isWhereItBegan(journey, context),
    isRead: journey.end === "delivered" && !journey.isClone,
  };
}

function isWhereItBegan({ contexts: [first] }: Journey, { netnsCookie, netnsInode }: Context): boolean {
  return first?.netnsCookie === netnsCookie && first.netnsInode === netnsInode;
}

/** What the packet's own namespace knows goes first; connections in others must say the same. */
function agree(ways: readonly Way[], segment: Segment, index: ConnectionIndex, options: FindOptions): Answer {
  let own: Answer;
  const others: Answer[] = [];
  for (const way of ways) {
    const answer = findOn(way, segment, index, options);
    if (way.isOwn && typeof answer === "object") return answer;
    if (way.isOwn) own = answer;
    else others.push(answer);
  }
  const known = others.filter((answer) => typeof answer === "object");
  const spans = new Set(known.flatMap(({ owners }) => owners.map(({ span }) => span)));
  if (spans.size === 1) return known[0];
  return own ?? others.find((answer) => answer === "later");
}

function findOn(way: Way, segment: Segment, index: ConnectionIndex, options: FindOptions): Answer {
  const { connection, isOwn } = way;
  const { timeNs } = segment;
  if (!isOwn && !isNear(way, segment)) return undefined;
  if (isOwn && (segment.flags & SYN) !== 0) noteSyn(way, segment, index);
  if (connection.closedNs !== undefined && timeNs > connection.closedNs) return undefined;
  if (connection.isTold && timeNs - connection.touchedNs > options.forgetAfterNs) return undefined;
  if (isOwn && noteRead(way, segment)) options.onNews(connection);
  const answer = findPart(way, segment, options.isFinal);
  if (isOwn) noteSeen(way, segment, answer !== undefined, index);
  return answer;
}

/** Whether it may be the same connection though it was told of in another namespace: the sequence number alone says so. */
function isNear({ direction, other }: Way, { sequence, acknowledgement, flags }: Segment): boolean {
  const isOpening = isAfterSyn(direction, sequence) || isAfterSyn(other, acknowledgement);
  if ((flags & SYN) === 0) return isOpening || direction.isNear(sequence) || other.isNear(acknowledgement);
  const [opener, syn] = (flags & ACK) === 0 ? [direction, sequence + 1] : [other, acknowledgement];
  return opener.firstSequence === syn >>> 0 || isAfterSyn(opener, syn >>> 0);
}

function findPart(way: Way, segment: Segment, isFinal: boolean): Answer {
  const { direction, other } = way;
  const { sequence, acknowledgement, flags, payloadBytes } = segment;
  const owns = (part: Part, of: Direction, from: number, bytes: number): Answer => {
    const owners = of.find(from >>> 0, bytes);
    if (owners.length === 0) return undefined;
    const isOpen = owners.some(({ isPending }) => isPending) || !of.isCertain(from >>> 0, bytes);
    return isOpen && !isFinal ? "later" : { part, owners };
  };
  const opens = (of: Direction, synSequence: number): Answer => findOpened(way, of, synSequence >>> 0, isFinal);
  if ((flags & SYN) !== 0) return (flags & ACK) === 0 ? opens(direction, sequence) : opens(other, acknowledgement - 1);
  if (payloadBytes > 0) {
    const isAgain = way.isOwn && segment.isSent && direction.isSentAgain(sequence, payloadBytes, segment.timeNs);
    return owns(isAgain ? "retransmission" : "data", direction, sequence, payloadBytes);
  }
  if ((flags & (FIN | RST)) !== 0) {
    const own = owns("close", direction, sequence - 1, 1);
    if (own !== undefined) return own;
    if (isAfterSyn(other, acknowledgement)) return opens(other, acknowledgement - 1);
    return (flags & ACK) === 0 ? undefined : owns("close", other, acknowledgement - 1, 1);
  }
  if ((flags & ACK) === 0) return undefined;
  if (isAfterSyn(direction, sequence) && (other.synSequence === undefined || isAfterSyn(other, acknowledgement)))
    return opens(direction, sequence - 1);
  return owns("acknowledgement", other, acknowledgement - 1, 1);
}

function isAfterSyn({ synSequence }: Direction, sequence: number): boolean {
  return synSequence !== undefined && sequence === (synSequence + 1) >>> 0;
}

/** What opens a connection belongs to the request that it is opened for: whose the first byte after the SYN is. */
function findOpened({ connection }: Way, direction: Direction, synSequence: number, isFinal: boolean): Answer {
  const { firstSequence, firstOwner, opening } = direction;
  const isFirst = firstOwner !== undefined && firstSequence === (synSequence + 1) >>> 0;
  if (isFirst && firstOwner.span) return { part: "handshake", owners: [firstOwner] };
  if (opening) return { part: "handshake", owners: [opening] };
  const isPending = isFirst && firstOwner.isPending;
  // Something is told of what comes later, or the first bytes went by: there is nothing to wait for.
  return isFinal || connection.isPlain || (firstOwner && !isPending) ? undefined : "later";
}

/** Whether that is news for who waits. */
function noteRead({ connection, direction }: Way, segment: Segment): boolean {
  const { sequence, payloadBytes, isRead, isSent } = segment;
  if (payloadBytes === 0) return false;
  if (direction.size === 0) {
    const isFirst = isAfterSyn(direction, sequence) && (isRead || isSent) && !connection.isPlain;
    if (isFirst) connection.isPlain = true;
    return isFirst;
  }
  return isRead && !direction.isFar(sequence) && direction.read(sequence, payloadBytes);
}

/** A SYN that is not that of the connection that is known begins another with the same addresses and ports. */
function noteSyn({ connection, direction, other }: Way, segment: Segment, index: ConnectionIndex): void {
  const { sequence, timeNs } = segment;
  if (direction.synSequence === sequence) return;
  const isKnown = direction.firstSequence === (sequence + 1) >>> 0;
  const isOlder = timeNs <= connection.toldNs;
  if (isKnown || (isOlder && direction.size === 0)) {
    direction.synSequence = sequence;
    return;
  }
  if (isOlder) return;
  const answers = (segment.flags & ACK) !== 0 && isAfterSyn(other, segment.acknowledgement);
  const isOpened = direction.synSequence === undefined && direction.opening !== undefined && direction.size === 0;
  if (!isOpened) {
    index.grow(-direction.reset());
    if (!answers) index.grow(-other.reset());
    connection.closedNs = undefined;
    connection.isPlain = false;
  }
  direction.synSequence = sequence;
}

function noteSeen({ connection, direction }: Way, segment: Segment, isFound: boolean, index: ConnectionIndex): void {
  const { sequence, flags, payloadBytes, timeNs } = segment;
  if ((flags & RST) !== 0) connection.closedNs ??= timeNs;
  if (!isFound || (flags & SYN) !== 0) return;
  index.touch(connection, timeNs);
  if (direction.isFar(sequence)) return;
  direction.see(sequence, payloadBytes);
  if ((flags & FIN) !== 0) direction.endAt((sequence + payloadBytes + 1) >>> 0);
}
