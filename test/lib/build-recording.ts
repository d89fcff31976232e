import {
  wire,
  wireClock,
  wireContext,
  wireDropReason,
  wireEnd,
  wireEndCause,
  wireFrameHeader,
  wireFrameType,
  wireHello,
  wireHop,
  wireInventory,
  wireJourney,
  wireMember,
  wireMessage,
  wireNamespace,
  wireProbe,
  wirePrologue,
  wireRequest,
  wireReturnKind,
  wireStack,
  wireStats,
  wireSymbol,
} from "../../exporter/wire/layout.js";

/** Writes streams as the tracer does, for unit tests. Recordings of real kernels are under test/fixtures. */
export interface RecordingBuilder {
  hello(fields?: Fields<typeof wireHello>): RecordingBuilder;
  probe(index: number, name: string, options?: ProbeOptions): RecordingBuilder;
  symbol(address: bigint, start: bigint, name: string): RecordingBuilder;
  dropReason(value: number, name: string): RecordingBuilder;
  namespace(inode: number, name: string, flags?: number): RecordingBuilder;
  member(fields: Fields<typeof wireMember>, path: string, pathV1?: string): RecordingBuilder;
  inventory(fields?: Fields<typeof wireInventory>): RecordingBuilder;
  journey(fields: Fields<typeof wireJourney>, units: readonly Unit[]): RecordingBuilder;
  request(fields: Fields<typeof wireRequest>): RecordingBuilder;
  stats(monotonicNs: bigint, values: readonly bigint[]): RecordingBuilder;
  clock(monotonicNs: bigint, realtimeNs: bigint): RecordingBuilder;
  message(level: number, text: string): RecordingBuilder;
  end(cause?: number): RecordingBuilder;
  /** A frame of any type and content. */
  raw(type: number, payload: Uint8Array): RecordingBuilder;
  bytes(): Uint8Array;
}

export interface ProbeOptions {
  readonly kind?: number;
  readonly argument?: number;
  readonly returnKind?: number;
  readonly symbol?: string;
  readonly module?: string;
  readonly address?: bigint;
}

type Value = number | bigint | string | readonly number[];
/** Field names of a struct in layout.ts with their values; what is left out is zero. */
export type Fields<Layout> = Partial<Record<Exclude<keyof Layout, "bytes">, Value>>;

/** Times in units are absolute, on the monotonic clock. */
export type Unit =
  | { readonly hop: { probe: number; cpu?: number; enter: bigint; leave?: bigint; returnValue?: number } }
  | { readonly context: Fields<typeof wireContext> }
  | { readonly stack: { observed: bigint; cpu?: number; addresses: readonly bigint[] } };

type Width = 1 | 2 | 4 | 8;
const widths: Readonly<Record<string, Readonly<Record<string, Width>>>> = {
  hello: {
    startMonotonicNs: 8,
    startRealtimeNs: 8,
    attachDurationNs: 8,
    nodeNetnsInode: 8,
    backend: 4,
    cpuCount: 4,
    discoveredFunctions: 4,
    attachedFunctions: 4,
    skippedFunctions: 4,
    skbBytes: 4,
  },
  journey: {
    skb: 8,
    startMonotonicNs: 8,
    endMonotonicNs: 8,
    dropLocation: 8,
    dropReason: 4,
    flags: 4,
    usedUnits: 2,
    lostHops: 2,
    startCpu: 2,
    end: 1,
    threadId: 4,
    processId: 4,
  },
  member: {
    netnsCookie: 8,
    observedMonotonicNs: 8,
    startMonotonicNs: 8,
    cgroupId: 8,
    cgroupV1Id: 8,
    netnsInode: 4,
    processId: 4,
    flags: 4,
  },
  inventory: {
    startMonotonicNs: 8,
    endMonotonicNs: 8,
    lost: 8,
    method: 4,
    tasks: 4,
    members: 4,
    isLive: 4,
  },
  request: {
    observedMonotonicNs: 8,
    netnsCookie: 8,
    netnsInode: 4,
    sequence: 4,
    stream: 4,
    length: 4,
    processId: 4,
    sourcePort: 2,
    destinationPort: 2,
    ipVersion: 1,
    requestSource: 1,
    traceFlags: 1,
    flags: 1,
  },
  context: {
    observedMonotonicNs: 8,
    netnsCookie: 8,
    netnsInode: 4,
    probe: 2,
    cpu: 2,
    interfaceIndex: 4,
    mark: 4,
    length: 4,
    gsoSegments: 2,
    gsoBytes: 2,
    sourcePort: 2,
    destinationPort: 2,
    ethertype: 2,
    vlan: 2,
    ipVersion: 1,
    transport: 1,
    ttl: 1,
    trafficClass: 1,
    ipId: 4,
    fragment: 2,
    networkBytes: 2,
    tcpSequence: 4,
    tcpAcknowledgement: 4,
    tcpWindow: 2,
    tcpFlags: 1,
    icmpType: 1,
    icmpCode: 1,
    arpOperation: 1,
    changed: 2,
    icmpId: 2,
    icmpSequence: 2,
    atProbe: 2,
    flags: 1,
    transportHeaderBytes: 1,
  },
};

export function buildRecording(options: { readonly littleEndian?: boolean } = {}): RecordingBuilder {
  return new Builder(options.littleEndian ?? true);
}

class Builder implements RecordingBuilder {
  private readonly parts: Buffer[] = [];
  private readonly little: boolean;

  constructor(littleEndian: boolean) {
    this.little = littleEndian;
    const prologue = Buffer.alloc(wirePrologue.bytes);
    const view = viewOf(prologue);
    prologue.write(wire.magic, wirePrologue.magic, "latin1");
    view.setUint16(wirePrologue.version, wire.version, littleEndian);
    view.setUint16(wirePrologue.headerBytes, wirePrologue.bytes, littleEndian);
    view.setUint32(wirePrologue.endian, wire.endianMark, littleEndian);
    this.parts.push(prologue);
  }

  raw(type: number, payload: Uint8Array): this {
    const header = Buffer.alloc(wireFrameHeader.bytes);
    viewOf(header).setUint32(wireFrameHeader.length, payload.length, this.little);
    viewOf(header).setUint16(wireFrameHeader.type, type, this.little);
    this.parts.push(header, Buffer.from(payload), Buffer.alloc((8 - (payload.length % 8)) % 8));
    return this;
  }

  hello(fields: Fields<typeof wireHello> = {}): this {
    return this.raw(wireFrameType.hello, this.fill("hello", wireHello, fields));
  }

  probe(index: number, name: string, options: ProbeOptions = {}): this {
    const head = Buffer.alloc(wireProbe.bytes);
    const view = viewOf(head);
    view.setBigUint64(wireProbe.address, options.address ?? 0n, this.little);
    view.setUint16(wireProbe.index, index, this.little);
    view.setUint8(wireProbe.kind, options.kind ?? 1);
    view.setUint8(wireProbe.argument, options.argument ?? 1);
    view.setUint8(wireProbe.returnKind, options.returnKind ?? wireReturnKind.unknown);
    const texts = `${name}\0${options.symbol ?? name}\0${options.module ?? ""}\0`;
    return this.raw(wireFrameType.probe, Buffer.concat([head, Buffer.from(texts)]));
  }

  symbol(address: bigint, start: bigint, name: string): this {
    const head = Buffer.alloc(wireSymbol.bytes);
    viewOf(head).setBigUint64(wireSymbol.address, address, this.little);
    viewOf(head).setBigUint64(wireSymbol.start, start, this.little);
    return this.raw(wireFrameType.symbol, Buffer.concat([head, Buffer.from(`${name}\0`)]));
  }

  dropReason(value: number, name: string): this {
    const head = Buffer.alloc(wireDropReason.bytes);
    viewOf(head).setUint32(wireDropReason.value, value, this.little);
    return this.raw(wireFrameType.dropReason, Buffer.concat([head, Buffer.from(`${name}\0`)]));
  }

  namespace(inode: number, name: string, flags = 0): this {
    const head = Buffer.alloc(wireNamespace.bytes);
    viewOf(head).setBigUint64(wireNamespace.inode, BigInt(inode), this.little);
    viewOf(head).setUint32(wireNamespace.flags, flags, this.little);
    return this.raw(wireFrameType.namespace, Buffer.concat([head, Buffer.from(`${name}\0`)]));
  }

  member(fields: Fields<typeof wireMember>, path: string, pathV1 = ""): this {
    const head = this.fill("member", wireMember, fields);
    return this.raw(wireFrameType.member, Buffer.concat([head, Buffer.from(`${path}\0${pathV1}\0`)]));
  }

  inventory(fields: Fields<typeof wireInventory> = {}): this {
    return this.raw(wireFrameType.inventory, this.fill("inventory", wireInventory, fields));
  }

  journey(fields: Fields<typeof wireJourney>, units: readonly Unit[]): this {
    const body = Buffer.concat(units.map((unit) => this.unit(unit)));
    const head = this.fill("journey", wireJourney, { usedUnits: body.length / wire.unitBytes, ...fields });
    return this.raw(wireFrameType.journey, Buffer.concat([head, body]));
  }

  request(fields: Fields<typeof wireRequest>): this {
    return this.raw(wireFrameType.request, this.fill("request", wireRequest, fields));
  }

  stats(monotonicNs: bigint, values: readonly bigint[]): this {
    const payload = Buffer.alloc(wireStats.bytes);
    viewOf(payload).setBigUint64(wireStats.monotonicNs, monotonicNs, this.little);
    for (const [index, value] of values.entries())
      viewOf(payload).setBigUint64(wireStats.values + 8 * index, value, this.little);
    return this.raw(wireFrameType.stats, payload);
  }

  clock(monotonicNs: bigint, realtimeNs: bigint): this {
    const payload = Buffer.alloc(wireClock.bytes);
    viewOf(payload).setBigUint64(wireClock.monotonicNs, monotonicNs, this.little);
    viewOf(payload).setBigUint64(wireClock.realtimeNs, realtimeNs, this.little);
    return this.raw(wireFrameType.clock, payload);
  }

  message(level: number, text: string): this {
    const head = Buffer.alloc(wireMessage.bytes);
    viewOf(head).setUint32(wireMessage.level, level, this.little);
    return this.raw(wireFrameType.message, Buffer.concat([head, Buffer.from(`${text}\0`)]));
  }

  end(cause: number = wireEndCause.requested): this {
    const payload = Buffer.alloc(wireEnd.bytes);
    viewOf(payload).setUint32(wireEnd.cause, cause, this.little);
    return this.raw(wireFrameType.end, payload);
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }

  private unit(unit: Unit): Buffer {
    if ("context" in unit)
      return this.fill("context", wireContext, { probe: wire.unitContext, ...unit.context } as Record<string, Value>);
    if ("hop" in unit) {
      const bytes = Buffer.alloc(wireHop.bytes);
      const view = viewOf(bytes);
      view.setBigUint64(wireHop.enterMonotonicNs, unit.hop.enter, this.little);
      view.setBigUint64(wireHop.leaveMonotonicNs, unit.hop.leave ?? 0n, this.little);
      view.setInt32(wireHop.returnValue, unit.hop.returnValue ?? 0, this.little);
      view.setUint16(wireHop.probe, unit.hop.probe, this.little);
      view.setUint16(wireHop.cpu, unit.hop.cpu ?? 0, this.little);
      return bytes;
    }
    const { observed, cpu, addresses } = unit.stack;
    const bytes = Buffer.alloc(wireStack.bytes + Math.ceil(addresses.length / 3) * wire.unitBytes);
    const view = viewOf(bytes);
    view.setBigUint64(wireStack.observedMonotonicNs, observed, this.little);
    view.setUint32(wireStack.frameCount, addresses.length, this.little);
    view.setUint16(wireStack.probe, wire.unitStack, this.little);
    view.setUint16(wireStack.cpu, cpu ?? 0, this.little);
    for (const [index, address] of addresses.entries())
      view.setBigUint64(wireStack.bytes + 8 * index, address, this.little);
    return bytes;
  }

  private fill(
    struct: string,
    layout: Readonly<Record<string, number>>,
    fields: Readonly<Record<string, Value>>,
  ): Buffer {
    const bytes = Buffer.alloc(layout.bytes ?? 0);
    const view = viewOf(bytes);
    for (const [name, value] of Object.entries(fields)) {
      const at = layout[name];
      if (at === undefined) throw new Error(`${struct} has no field "${name}"`);
      if (typeof value === "string") bytes.write(value, at, layout[`${name}Bytes`] ?? 0, "utf8");
      else if (typeof value === "object") bytes.set(value, at);
      else this.put(view, at, widths[struct]?.[name] ?? 0, value);
    }
    return bytes;
  }

  private put(view: DataView, at: number, width: number, value: number | bigint): void {
    if (width === 8) view.setBigUint64(at, BigInt(value), this.little);
    else if (width === 4) view.setUint32(at, Number(value), this.little);
    else if (width === 2) view.setUint16(at, Number(value), this.little);
    else if (width === 1) view.setUint8(at, Number(value));
    else throw new Error(`no width for the field at ${at}`);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
