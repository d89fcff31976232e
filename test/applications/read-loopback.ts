/** What the helper for Node.js tells. A connection that it accepted is answered. */
export interface Told {
  readonly kind: "opening" | "writing" | "answering";
  readonly traceId: string;
  readonly spanId: string;
  /** Two hexadecimal digits. */
  readonly flags: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly isSyn: boolean;
  readonly isAck: boolean;
  readonly payloadBytes: number;
}

/** One of both, or neither. */
export interface SeenPacket {
  readonly told?: Told;
  readonly tcp?: TcpSegment;
}

/** The packets of a capture file of a loopback interface (pcap, Ethernet), in order. */
export function readLoopback(file: Buffer): SeenPacket[] {
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error("not a capture file in this machine's byte order");
  const packets: SeenPacket[] = [];
  for (let offset = 24; offset + 16 <= file.length; ) {
    const capturedBytes = file.readUInt32LE(offset + 8);
    packets.push(readPacket(file.subarray(offset + 16, offset + 16 + capturedBytes)));
    offset += 16 + capturedBytes;
  }
  return packets;
}

function readPacket(frame: Buffer): SeenPacket {
  const packet = frame.subarray(14);
  if (frame.readUInt16BE(12) === 0x0800) {
    const headerBytes = (packet.readUInt8(0) & 0xf) * 4;
    return readTransport(packet.readUInt8(9), packet.subarray(headerBytes, packet.readUInt16BE(2)));
  }
  return readTransport(packet.readUInt8(6), packet.subarray(40, 40 + packet.readUInt16BE(4)));
}

function readTransport(protocol: number, bytes: Buffer): SeenPacket {
  if (protocol === 6) return { tcp: readSegment(bytes) };
  if (protocol === 17 && bytes.readUInt16BE(2) === 9) return { told: readTold(bytes.subarray(8)) };
  return {};
}

function readSegment(bytes: Buffer): TcpSegment {
  const flags = bytes.readUInt8(13);
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    isSyn: (flags & 0x02) !== 0,
    isAck: (flags & 0x10) !== 0,
    payloadBytes: bytes.length - (bytes.readUInt8(12) >> 4) * 4,
  };
}

function readTold(bytes: Buffer): Told {
  const magic = bytes.toString("latin1", 0, 8);
  if (bytes.length !== 72 || magic !== "SKBSPAN1")
    throw new Error(`not the helper's: ${bytes.length} bytes, "${magic}"`);
  const addressBytes = bytes.readUInt8(34) === 4 ? 4 : 16;
  return {
    kind: bytes.readUInt8(33) === 1 ? "opening" : bytes.readUInt8(35) === 1 ? "answering" : "writing",
    traceId: bytes.toString("hex", 8, 24),
    spanId: bytes.toString("hex", 24, 32),
    flags: bytes.toString("hex", 32, 33),
    localAddress: bytes.toString("hex", 40, 40 + addressBytes),
    localPort: bytes.readUInt16BE(36),
    remoteAddress: bytes.toString("hex", 56, 56 + addressBytes),
    remotePort: bytes.readUInt16BE(38),
  };
}
