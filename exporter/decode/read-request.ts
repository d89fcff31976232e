import { wire, wireRequest, wireRequestSource } from "../wire/layout.js";
import type { RequestFrame, RequestSource } from "./frame.js";
import type { Payload } from "./payload.js";
import { readIpAddress } from "./read-context.js";

const sources: Readonly<Record<number, RequestSource>> = {
  [wireRequestSource.http1]: "http1",
  [wireRequestSource.http2]: "http2",
  [wireRequestSource.tcpOption]: "tcp-option",
  [wireRequestSource.thread]: "thread",
  [wireRequestSource.tls]: "tls",
  [wireRequestSource.helper]: "helper",
};

export function readRequest(payload: Payload, at: number): RequestFrame {
  const { view, isLittleEndian: little, bytes } = payload;
  const flags = bytes[at + wireRequest.flags] ?? 0;
  const ipVersion = bytes[at + wireRequest.ipVersion] ?? 0;
  return {
    type: "request",
    observedMonotonicNs: view.getBigUint64(at + wireRequest.observedMonotonicNs, little),
    netnsCookie: view.getBigUint64(at + wireRequest.netnsCookie, little),
    netnsInode: view.getUint32(at + wireRequest.netnsInode, little),
    sequence: view.getUint32(at + wireRequest.sequence, little),
    stream: view.getUint32(at + wireRequest.stream, little),
    processId: view.getUint32(at + wireRequest.processId, little),
    sourceAddress: ipVersion === 0 ? "" : readIpAddress(payload, at + wireRequest.source, ipVersion),
    destinationAddress: ipVersion === 0 ? "" : readIpAddress(payload, at + wireRequest.destination, ipVersion),
    sourcePort: view.getUint16(at + wireRequest.sourcePort, little),
    destinationPort: view.getUint16(at + wireRequest.destinationPort, little),
    // A source that is newer than this version cannot be turned off by name: better not joined.
    source: sources[bytes[at + wireRequest.requestSource] ?? 0] ?? "none",
    isResponse: (flags & wire.requestResponse) !== 0,
    isReceived: (flags & wire.requestReceived) !== 0,
    isOpening: (flags & wire.requestOpening) !== 0,
    isPending: (flags & wire.requestPending) !== 0,
    traceId: copyOf(payload, at + wireRequest.traceId, wireRequest.traceIdBytes),
    spanId: copyOf(payload, at + wireRequest.spanId, wireRequest.spanIdBytes),
    traceFlags: bytes[at + wireRequest.traceFlags] ?? 0,
    lengthBytes: view.getUint32(at + wireRequest.length, little),
  };
}

/** It outlives the chunk. */
function copyOf({ bytes }: Payload, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.subarray(at, at + length));
}
