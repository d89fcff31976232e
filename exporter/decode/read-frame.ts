import {
  wire,
  wireBackend,
  wireClock,
  wireDropReason,
  wireEnd,
  wireEndCause,
  wireFrameType,
  wireHello,
  wireInventory,
  wireInventoryMethod,
  wireJourney,
  wireMember,
  wireMessage,
  wireMessageLevel,
  wireNamespace,
  wireProbe,
  wireProbeKind,
  wireRequest,
  wireStat,
  wireStats,
  wireSymbol,
} from "../wire/layout.js";
import type {
  Backend,
  EndFrame,
  Frame,
  HelloFrame,
  InventoryFrame,
  InventoryMethod,
  MemberFrame,
  NamespaceFrame,
  ProbeFrame,
  StatsFrame,
} from "./frame.js";
import { failCorrupt, type Payload, readAddress, readText, readUnsigned64 } from "./payload.js";
import { readJourney } from "./read-journey.js";
import { readRequest } from "./read-request.js";

const backends: Readonly<Record<number, Backend>> = {
  [wireBackend.kprobeSession]: "kprobe.session",
  [wireBackend.kprobeMulti]: "kprobe.multi",
  [wireBackend.kprobe]: "kprobe",
  [wireBackend.tracepoint]: "tracepoint",
  [wireBackend.drops]: "drops",
};

/**
 * Reads the payload of one frame. Undefined: a type of frame that this version does not know, to be skipped.
 * Throws StreamError when the payload is too short for its type.
 */
export function readFrame(payload: Payload, type: number, at: number, length: number): Frame | undefined {
  switch (type) {
    case wireFrameType.journey:
      requireBytes(payload, at, length, wireJourney.bytes, "JOURNEY");
      return { type: "journey", journey: readJourney(payload, at, length) };
    case wireFrameType.hello:
      requireBytes(payload, at, length, wireHello.bytes, "HELLO");
      return readHello(payload, at);
    case wireFrameType.probe:
      requireBytes(payload, at, length, wireProbe.bytes, "PROBE");
      return readProbe(payload, at, length);
    case wireFrameType.symbol:
      requireBytes(payload, at, length, wireSymbol.bytes, "SYMBOL");
      return {
        type: "symbol",
        address: readAddress(payload, at + wireSymbol.address),
        start: readAddress(payload, at + wireSymbol.start),
        name: readText(payload, at + wireSymbol.bytes, length - wireSymbol.bytes),
      };
    case wireFrameType.dropReason:
      requireBytes(payload, at, length, wireDropReason.bytes, "DROP_REASON");
      return {
        type: "drop-reason",
        value: payload.view.getUint32(at + wireDropReason.value, payload.isLittleEndian),
        name: readText(payload, at + wireDropReason.bytes, length - wireDropReason.bytes),
      };
    case wireFrameType.namespace:
      requireBytes(payload, at, length, wireNamespace.bytes, "NAMESPACE");
      return readNamespace(payload, at, length);
    case wireFrameType.member:
      requireBytes(payload, at, length, wireMember.bytes, "MEMBER");
      return readMember(payload, at, length);
    case wireFrameType.inventory:
      requireBytes(payload, at, length, wireInventory.bytes, "INVENTORY");
      return readInventory(payload, at);
    case wireFrameType.request:
      requireBytes(payload, at, length, wireRequest.bytes, "REQUEST");
      return readRequest(payload, at);
    case wireFrameType.stats:
      requireBytes(payload, at, length, wireStats.values, "STATS");
      return readStats(payload, at, length);
    case wireFrameType.clock:
      requireBytes(payload, at, length, wireClock.bytes, "CLOCK");
      return {
        type: "clock",
        monotonicNs: payload.view.getBigUint64(at + wireClock.monotonicNs, payload.isLittleEndian),
        realtimeNs: payload.view.getBigUint64(at + wireClock.realtimeNs, payload.isLittleEndian),
      };
    case wireFrameType.message:
      requireBytes(payload, at, length, wireMessage.bytes, "MESSAGE");
      return {
        type: "message",
        level:
          payload.view.getUint32(at + wireMessage.level, payload.isLittleEndian) === wireMessageLevel.warning
            ? "warning"
            : "info",
        text: readText(payload, at + wireMessage.bytes, length - wireMessage.bytes),
      };
    case wireFrameType.end:
      requireBytes(payload, at, length, wireEnd.bytes, "END");
      return readEnd(payload, at);
    default:
      return undefined;
  }
}

function requireBytes(payload: Payload, at: number, length: number, bytes: number, name: string): void {
  if (length < bytes) failCorrupt(payload, at, `a ${name} frame of ${length} bytes, at least ${bytes} are needed`);
}

function readHello(payload: Payload, at: number): HelloFrame {
  const { view, isLittleEndian: little } = payload;
  return {
    type: "hello",
    startMonotonicNs: view.getBigUint64(at + wireHello.startMonotonicNs, little),
    startRealtimeNs: view.getBigUint64(at + wireHello.startRealtimeNs, little),
    attachDurationNs: readUnsigned64(payload, at + wireHello.attachDurationNs),
    nodeNetnsInode: readUnsigned64(payload, at + wireHello.nodeNetnsInode),
    backend: backends[view.getUint32(at + wireHello.backend, little)] ?? "unknown",
    cpuCount: view.getUint32(at + wireHello.cpuCount, little),
    discoveredFunctions: view.getUint32(at + wireHello.discoveredFunctions, little),
    attachedFunctions: view.getUint32(at + wireHello.attachedFunctions, little),
    skippedFunctions: view.getUint32(at + wireHello.skippedFunctions, little),
    skbBytes: view.getUint32(at + wireHello.skbBytes, little),
    kernelRelease: readText(payload, at + wireHello.kernelRelease, wireHello.kernelReleaseBytes),
    hostName: readText(payload, at + wireHello.hostName, wireHello.hostNameBytes),
    hostId: readText(payload, at + wireHello.hostId, wireHello.hostIdBytes),
    filter: readText(payload, at + wireHello.filter, wireHello.filterBytes),
  };
}

function readProbe(payload: Payload, at: number, length: number): ProbeFrame {
  const { view, isLittleEndian: little, bytes } = payload;
  const texts = bytes.toString("utf8", at + wireProbe.bytes, at + length).split("\0");
  if (texts.length < 4) failCorrupt(payload, at, `a PROBE frame with ${texts.length - 1} of 3 texts`);
  return {
    type: "probe",
    index: view.getUint16(at + wireProbe.index, little),
    address: readAddress(payload, at + wireProbe.address),
    kind: bytes[at + wireProbe.kind] === wireProbeKind.tracepoint ? "tracepoint" : "function",
    argument: bytes[at + wireProbe.argument] ?? 0,
    returnKind: bytes[at + wireProbe.returnKind] ?? 0,
    name: texts[0] ?? "",
    symbol: texts[1] ?? "",
    module: texts[2] ?? "",
  };
}

function readNamespace(payload: Payload, at: number, length: number): NamespaceFrame {
  const flags = payload.view.getUint32(at + wireNamespace.flags, payload.isLittleEndian);
  return {
    type: "namespace",
    inode: readUnsigned64(payload, at + wireNamespace.inode),
    isNode: (flags & wire.namespaceNode) !== 0,
    isGone: (flags & wire.namespaceGone) !== 0,
    name: readText(payload, at + wireNamespace.bytes, length - wireNamespace.bytes),
  };
}

function readMember(payload: Payload, at: number, length: number): MemberFrame {
  const { view, isLittleEndian: little, bytes } = payload;
  const flags = view.getUint32(at + wireMember.flags, little);
  const texts = bytes.toString("utf8", at + wireMember.bytes, at + length).split("\0");
  if (texts.length < 3) failCorrupt(payload, at, `a MEMBER frame with ${texts.length - 1} of 2 texts`);
  return {
    type: "member",
    netnsCookie: view.getBigUint64(at + wireMember.netnsCookie, little),
    netnsInode: view.getUint32(at + wireMember.netnsInode, little),
    observedMonotonicNs: view.getBigUint64(at + wireMember.observedMonotonicNs, little),
    startMonotonicNs: view.getBigUint64(at + wireMember.startMonotonicNs, little),
    processId: view.getUint32(at + wireMember.processId, little),
    processName: readText(payload, at + wireMember.processName, wireMember.processNameBytes),
    isNode: (flags & wire.memberNode) !== 0,
    isGone: (flags & wire.memberGone) !== 0,
    cgroupId: view.getBigUint64(at + wireMember.cgroupId, little),
    cgroupV1Id: view.getBigUint64(at + wireMember.cgroupV1Id, little),
    cgroupPath: texts[0] ?? "",
    cgroupV1Path: texts[1] ?? "",
  };
}

const inventoryMethods: Readonly<Record<number, InventoryMethod>> = {
  [wireInventoryMethod.iterator]: "iterator",
  [wireInventoryMethod.walk]: "walk",
};

function readInventory(payload: Payload, at: number): InventoryFrame {
  const { view, isLittleEndian: little } = payload;
  return {
    type: "inventory",
    startMonotonicNs: view.getBigUint64(at + wireInventory.startMonotonicNs, little),
    endMonotonicNs: view.getBigUint64(at + wireInventory.endMonotonicNs, little),
    method: inventoryMethods[view.getUint32(at + wireInventory.method, little)] ?? "none",
    isLive: view.getUint32(at + wireInventory.isLive, little) !== 0,
    tasks: view.getUint32(at + wireInventory.tasks, little),
    members: view.getUint32(at + wireInventory.members, little),
    lost: readUnsigned64(payload, at + wireInventory.lost),
  };
}

/** Counts that the writer was too old to have are 0. */
function readStats(payload: Payload, at: number, length: number): StatsFrame {
  const values: number[] = [];
  for (let index = 0; index < wireStat.count; index++) {
    const offset = wireStats.values + 8 * index;
    values.push(offset + 8 <= length ? readUnsigned64(payload, at + offset) : 0);
  }
  return {
    type: "stats",
    monotonicNs: payload.view.getBigUint64(at + wireStats.monotonicNs, payload.isLittleEndian),
    values,
  };
}

function readEnd(payload: Payload, at: number): EndFrame {
  const cause = payload.view.getUint32(at + wireEnd.cause, payload.isLittleEndian);
  return {
    type: "end",
    monotonicNs: payload.view.getBigUint64(at + wireEnd.monotonicNs, payload.isLittleEndian),
    cause: cause === wireEndCause.limit ? "limit" : cause === wireEndCause.requested ? "requested" : "failure",
  };
}
