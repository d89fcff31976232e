export interface TcpFrame {
  readonly sourceMac: Buffer;
  readonly destinationMac: Buffer;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  /** A multiple of 4 bytes, 40 at most. */
  readonly options: Buffer;
  /** In 4 bytes; default: what fits the options. */
  readonly dataOffset?: number;
}

/** An Ethernet frame with an IPv4 TCP segment, with right checksums. */
export function buildTcpFrame(frame: TcpFrame): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(frame.sourcePort, 0);
  tcp.writeUInt16BE(frame.destinationPort, 2);
  tcp.writeUInt32BE(frame.sequence >>> 0, 4);
  tcp.writeUInt8(((frame.dataOffset ?? 5 + frame.options.length / 4) & 15) << 4, 12);
  tcp.writeUInt8(0x18, 13); // PSH, ACK
  tcp.writeUInt16BE(1000, 14);
  const segment = Buffer.concat([tcp, frame.options, Buffer.from("payload!")]);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(20 + segment.length, 2);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(6, 9);
  addressBytes(frame.source).copy(ip, 12);
  addressBytes(frame.destination).copy(ip, 16);
  ip.writeUInt16BE(checksum(ip), 10);
  const pseudo = Buffer.concat([ip.subarray(12, 20), Buffer.from([0, 6, segment.length >> 8, segment.length & 255])]);
  segment.writeUInt16BE(checksum(Buffer.concat([pseudo, segment])), 16);
  return Buffer.concat([frame.destinationMac, frame.sourceMac, Buffer.from([8, 0]), ip, segment]);
}

function addressBytes(text: string): Buffer {
  return Buffer.from(text.split(".").map(Number));
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
