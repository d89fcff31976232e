import { wire, wireContext, wireHop, wireJourney, wireJourneyEnd, wireStack } from "../wire/layout.js";
import type { Context, Hop, Journey, JourneyEnd, KernelAddress, Stack } from "./frame.js";
import { failCorrupt, type Payload, readAddress, readTimeDifference } from "./payload.js";
import { readContext, readInternedText } from "./read-context.js";

const ends: readonly JourneyEnd[] = Object.entries(wireJourneyEnd).reduce<JourneyEnd[]>((names, [name, value]) => {
  names[value] = name as JourneyEnd;
  return names;
}, []);

/** Reads the journey of `length` bytes at `at`. Throws StreamError when its units do not fit. */
export function readJourney(payload: Payload, at: number, length: number): Journey {
  const { view, isLittleEndian: little, bytes } = payload;
  const flags = view.getUint32(at + wireJourney.flags, little);
  const originAt = at + wireJourney.startMonotonicNs;
  const usedUnits = view.getUint16(at + wireJourney.usedUnits, little);
  const room = length - wireJourney.bytes;
  if (usedUnits * wire.unitBytes !== room)
    failCorrupt(payload, at, `a journey of ${usedUnits} units of ${wire.unitBytes} bytes in a room of ${room} bytes`);
  const units = readUnits(payload, at + wireJourney.bytes, originAt, usedUnits);
  return {
    skbAddress: readAddress(payload, at + wireJourney.skb),
    startMonotonicNs: view.getBigUint64(originAt, little),
    durationNs: readTimeDifference(payload, at + wireJourney.endMonotonicNs, originAt),
    end: ends[bytes[at + wireJourney.end] ?? 0] ?? "unknown",
    dropReason: view.getUint32(at + wireJourney.dropReason, little),
    dropLocation: readAddress(payload, at + wireJourney.dropLocation),
    isClone: (flags & wire.journeyClone) !== 0,
    isStartedLate: (flags & wire.journeyStartedLate) !== 0,
    isInProcess: (flags & wire.journeyInProcess) !== 0,
    isEndInferred: (flags & wire.journeyEndInferred) !== 0,
    lostHops: view.getUint16(at + wireJourney.lostHops, little),
    startCpu: view.getUint16(at + wireJourney.startCpu, little),
    threadId: view.getUint32(at + wireJourney.threadId, little),
    processId: view.getUint32(at + wireJourney.processId, little),
    processName: readInternedText(bytes, at + wireJourney.processName, wireJourney.processNameBytes),
    hops: units.hops,
    contexts: units.contexts,
    stacks: units.stacks,
  };
}

interface Units {
  readonly hops: Hop[];
  readonly contexts: Context[];
  readonly stacks: Stack[];
}

function readUnits(payload: Payload, unitsAt: number, originAt: number, usedUnits: number): Units {
  const units: Units = { hops: [], contexts: [], stacks: [] };
  const end = unitsAt + usedUnits * wire.unitBytes;
  let at = unitsAt;
  while (at < end) {
    const probe = payload.view.getUint16(at + wireHop.probe, payload.isLittleEndian);
    if (probe < wire.unitStack) {
      units.hops.push(readHop(payload, at, originAt, probe));
      at += wire.unitBytes;
    } else if (probe === wire.unitContext) {
      if (at + wireContext.bytes > end) failCorrupt(payload, at, "a context runs over the end of its journey");
      units.contexts.push(readContext(payload, at, originAt, units.hops.length));
      at += wireContext.bytes;
    } else {
      const stack = readStack(payload, at, end, originAt, units.hops.length);
      units.stacks.push(stack);
      at += wire.unitBytes + Math.ceil((stack.addresses.length * 8) / wire.unitBytes) * wire.unitBytes;
    }
  }
  return units;
}

function readHop(payload: Payload, at: number, originAt: number, probe: number): Hop {
  const { view, isLittleEndian: little } = payload;
  const leaveAt = at + wireHop.leaveMonotonicNs;
  const enterOffsetNs = readTimeDifference(payload, at + wireHop.enterMonotonicNs, originAt);
  const returned = view.getUint32(leaveAt, little) !== 0 || view.getUint32(leaveAt + 4, little) !== 0;
  return {
    probe,
    cpu: view.getUint16(at + wireHop.cpu, little),
    enterOffsetNs,
    returned,
    leaveOffsetNs: returned ? readTimeDifference(payload, leaveAt, originAt) : enterOffsetNs,
    returnValue: returned ? view.getInt32(at + wireHop.returnValue, little) : 0,
  };
}

function readStack(payload: Payload, at: number, end: number, originAt: number, hopsBefore: number): Stack {
  const { view, isLittleEndian: little } = payload;
  const frameCount = view.getUint32(at + wireStack.frameCount, little);
  const framesAt = at + wireStack.bytes;
  if (frameCount > (end - framesAt) / 8)
    failCorrupt(payload, at, `a stack of ${frameCount} frames runs over the end of its journey`);
  const addresses: KernelAddress[] = [];
  for (let index = 0; index < frameCount; index++) addresses.push(readAddress(payload, framesAt + 8 * index));
  return {
    offsetNs: readTimeDifference(payload, at + wireStack.observedMonotonicNs, originAt),
    cpu: view.getUint16(at + wireStack.cpu, little),
    hopsBefore,
    addresses,
  };
}
