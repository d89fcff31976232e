import { wire, wireContext } from "../wire/layout.js";
import type { Context } from "./frame.js";
import { type Payload, readTimeDifference } from "./payload.js";

const ETHERTYPE_ARP = 0x0806;
const MAX_CACHED_TEXTS = 65_536;

const texts = new Map<string, string>();
const ipv4Texts = new Map<number, string>();
const macTexts = new Map<number, string>();

/** Reads the context at `at`; its time is counted from the journey whose start time is at `originAt`. */
export function readContext(payload: Payload, at: number, originAt: number, hopsBefore: number): Context {
  const { view, isLittleEndian: little, bytes } = payload;
  const flags = bytes[at + wireContext.flags] ?? 0;
  const hasNetwork = (flags & wire.contextNetwork) !== 0;
  const hasLink = (flags & wire.contextLinkHeader) !== 0;
  const ipVersion = bytes[at + wireContext.ipVersion] ?? 0;
  const ethertype = view.getUint16(at + wireContext.ethertype, little);
  const isReadable = hasNetwork && (ipVersion !== 0 || ethertype === ETHERTYPE_ARP);
  return {
    offsetNs: readTimeDifference(payload, at + wireContext.observedMonotonicNs, originAt),
    cpu: view.getUint16(at + wireContext.cpu, little),
    hopsBefore,
    atProbe: view.getUint16(at + wireContext.atProbe, little),
    netnsInode: view.getUint32(at + wireContext.netnsInode, little),
    netnsCookie: view.getBigUint64(at + wireContext.netnsCookie, little),
    interfaceIndex: view.getUint32(at + wireContext.interfaceIndex, little),
    interfaceName: readInternedText(bytes, at + wireContext.interfaceName, wireContext.interfaceNameBytes),
    mark: view.getUint32(at + wireContext.mark, little),
    lengthBytes: view.getUint32(at + wireContext.length, little),
    gsoSegments: view.getUint16(at + wireContext.gsoSegments, little),
    gsoBytes: view.getUint16(at + wireContext.gsoBytes, little),
    sourceAddress: isReadable ? readIpAddress(payload, at + wireContext.source, ipVersion) : "",
    destinationAddress: isReadable ? readIpAddress(payload, at + wireContext.destination, ipVersion) : "",
    sourcePort: view.getUint16(at + wireContext.sourcePort, little),
    destinationPort: view.getUint16(at + wireContext.destinationPort, little),
    ethertype,
    vlan: view.getUint16(at + wireContext.vlan, little),
    ipVersion,
    transport: bytes[at + wireContext.transport] ?? 0,
    ttl: bytes[at + wireContext.ttl] ?? 0,
    trafficClass: bytes[at + wireContext.trafficClass] ?? 0,
    ipId: view.getUint32(at + wireContext.ipId, little),
    fragment: view.getUint16(at + wireContext.fragment, little),
    networkBytes: view.getUint16(at + wireContext.networkBytes, little),
    tcpSequence: view.getUint32(at + wireContext.tcpSequence, little),
    tcpAcknowledgement: view.getUint32(at + wireContext.tcpAcknowledgement, little),
    tcpWindow: view.getUint16(at + wireContext.tcpWindow, little),
    tcpFlags: bytes[at + wireContext.tcpFlags] ?? 0,
    transportHeaderBytes: bytes[at + wireContext.transportHeaderBytes] ?? 0,
    icmpType: bytes[at + wireContext.icmpType] ?? 0,
    icmpCode: bytes[at + wireContext.icmpCode] ?? 0,
    icmpId: view.getUint16(at + wireContext.icmpId, little),
    icmpSequence: view.getUint16(at + wireContext.icmpSequence, little),
    arpOperation: bytes[at + wireContext.arpOperation] ?? 0,
    sourceMac: hasLink ? readMac(bytes, at + wireContext.sourceMac) : "",
    destinationMac: hasLink ? readMac(bytes, at + wireContext.destinationMac) : "",
    hasNetwork,
    hasTransport: (flags & wire.contextTransport) !== 0,
    changed: view.getUint16(at + wireContext.changed, little),
  };
}

export function readIpAddress(payload: Payload, at: number, ipVersion: number): string {
  return ipVersion === 6 ? formatIpv6(payload.view, at) : readIpv4(payload.view, at);
}

/** Few hosts talk: their addresses are formatted once. The cache starts anew when it is full. */
function readIpv4(view: DataView, at: number): string {
  const word = view.getUint32(at, false);
  const known = ipv4Texts.get(word);
  if (known !== undefined) return known;
  const text = `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  if (ipv4Texts.size >= MAX_CACHED_TEXTS) ipv4Texts.clear();
  ipv4Texts.set(word, text);
  return text;
}

/** RFC 5952: lower case, the longest run of two or more zero groups (the first of equals) as "::". */
function formatIpv6(view: DataView, at: number): string {
  const groups: number[] = [];
  for (let index = 0; index < 8; index++) groups.push(view.getUint16(at + 2 * index, false));
  const run = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (run.length < 2) return hex.join(":");
  return `${hex.slice(0, run.start).join(":")}::${hex.slice(run.start + run.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index < groups.length; index++) {
    if (groups[index] !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/** As for IPv4: few interfaces talk. */
function readMac(bytes: Buffer, at: number): string {
  const number = bytes.readUIntBE(at, 6);
  const known = macTexts.get(number);
  if (known !== undefined) return known;
  const text = bytes.toString("hex", at, at + 6).replace(/..(?!$)/g, "$&:");
  if (macTexts.size >= MAX_CACHED_TEXTS) macTexts.clear();
  macTexts.set(number, text);
  return text;
}

/** A short text that is the same again and again: the same string object every time. */
export function readInternedText(bytes: Buffer, at: number, length: number): string {
  const raw = bytes.toString("latin1", at, at + length);
  const known = texts.get(raw);
  if (known !== undefined) return known;
  const zero = raw.indexOf("\0");
  const text = bytes.toString("utf8", at, at + (zero === -1 ? length : zero));
  if (texts.size >= MAX_CACHED_TEXTS) texts.clear();
  texts.set(raw, text);
  return text;
}
