/**
 * The packets of a capture file (pcap, Ethernet), one line each, to be compared with journeys: `arp OPERATION SENDER TARGET` or
 * `ipVERSION PROTOCOL id ID length BYTES [SOURCE-PORT DESTINATION-PORT]`. Written apart from the decoder on purpose.
 */
export function readCapture(file: Buffer): string[] {
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error("not a capture file in this machine's byte order");
  const lines: string[] = [];
  for (let offset = 24; offset + 16 <= file.length; ) {
    const capturedBytes = file.readUInt32LE(offset + 8);
    lines.push(describePacket(file.subarray(offset + 16, offset + 16 + capturedBytes)));
    offset += 16 + capturedBytes;
  }
  return lines;
}

function describePacket(frame: Buffer): string {
  const ethertype = frame.readUInt16BE(12);
  const packet = frame.subarray(14);
  if (ethertype === 0x0806)
    return `arp ${packet.readUInt16BE(6)} ${packet.subarray(14, 18).join(".")} ${packet.subarray(24, 28).join(".")}`;
  if (ethertype === 0x0800) {
    const headerBytes = (packet.readUInt8(0) & 0xf) * 4;
    const protocol = packet.readUInt8(9);
    return describeIp(4, protocol, packet.readUInt16BE(4), packet.readUInt16BE(2), packet.subarray(headerBytes));
  }
  if (ethertype === 0x86dd)
    return describeIp(6, packet.readUInt8(6), 0, packet.readUInt16BE(4) + 40, packet.subarray(40));
  return `ethertype ${ethertype.toString(16)}`;
}

function describeIp(version: number, protocol: number, id: number, bytes: number, transport: Buffer): string {
  const hasPorts = protocol === 6 || protocol === 17;
  const ports = hasPorts ? ` ${transport.readUInt16BE(0)} ${transport.readUInt16BE(2)}` : "";
  return `ip${version} ${protocol} id ${id} length ${bytes}${ports}`;
}
