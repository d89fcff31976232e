import { wire, wireJourneyEnd, wireRequestSource } from "../../exporter/wire/layout.js";
import { buildRecording, type RecordingBuilder } from "./build-recording.js";

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

export const connectionStartNs = 5_000_000_000_000n;
export const connectionRealtimeNs = 1_790_000_000_000_000_000n;
const CLIENT = { address: [10, 0, 0, 1], port: 40_000 };
const SERVER = { address: [10, 0, 0, 2], port: 80 };
const HEADER_BYTES = 20 + 32;

export type Side = "client" | "server";

export interface PacketFields {
  readonly from?: Side;
  readonly atMs: number;
  readonly lastsMs?: number;
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly bytes?: number;
  readonly end?: number;
  readonly hops?: number;
  /** Where it is first seen; that of whoever sends. */
  readonly netnsCookie?: bigint;
  readonly port?: number;
  readonly isSent?: boolean;
  readonly secondHop?: "ip_rcv" | "nf_hook_slow";
  readonly context?: object;
}

export interface RequestFields {
  readonly from?: Side;
  readonly atMs: number;
  readonly sequence?: number;
  /** Numbers the trace and the span; undefined: of no trace. */
  readonly trace?: number | undefined;
  readonly span?: number;
  /** In place of numbers: what an application's own span has. */
  readonly ids?: { readonly traceId: string; readonly spanId: string };
  readonly source?: number;
  readonly flags?: number;
  readonly traceFlags?: number;
  readonly netnsCookie?: bigint;
  readonly port?: number;
  readonly stream?: number;
  /** Bytes that it holds for; 0: until the next. */
  readonly length?: number;
}

/** A recording of a TCP connection of two pods on one node, for what requests have to do with packets. */
export interface ConnectionBuilder {
  readonly recording: RecordingBuilder;
  packet(fields: PacketFields): ConnectionBuilder;
  request(fields: RequestFields): ConnectionBuilder;
  /** Says that requests are going to be told. */
  announce(): ConnectionBuilder;
  clock(atMs: number, realtimeOffsetNs?: bigint): ConnectionBuilder;
  bytes(): Uint8Array;
}

export function traceIdOf(trace: number): Uint8Array {
  const id = new Uint8Array(16).fill(0xaa);
  new DataView(id.buffer).setUint32(12, trace);
  return id;
}

export function spanIdOf(span: number): Uint8Array {
  const id = new Uint8Array(8).fill(0xbb);
  new DataView(id.buffer).setUint32(4, span);
  return id;
}

function at(ms: number): bigint {
  return connectionStartNs + BigInt(Math.round(ms * 1e6));
}

function ends(from: Side, port = CLIENT.port) {
  const client = { ...CLIENT, port };
  const [source, destination] = from === "client" ? [client, SERVER] : [SERVER, client];
  return {
    source: source.address,
    destination: destination.address,
    sourcePort: source.port,
    destinationPort: destination.port,
    ipVersion: 4,
  };
}

function cookieOf(from: Side): bigint {
  return from === "client" ? 101n : 102n;
}

export function buildConnection(): ConnectionBuilder {
  const recording = buildRecording()
    .hello({ startMonotonicNs: connectionStartNs, startRealtimeNs: connectionRealtimeNs, hostName: "node", backend: 1 })
    .probe(0, "__tcp_transmit_skb")
    .probe(1, "ip_rcv")
    .probe(2, "tcp_v4_rcv")
    .probe(3, "nf_hook_slow")
    .dropReason(8, "SKB_DROP_REASON_NETFILTER_DROP");
  const builder: ConnectionBuilder = {
    recording,
    packet(fields) {
      const {
        from = "client",
        atMs,
        lastsMs = 0.5,
        flags = ACK,
        sequence = 1,
        acknowledgement = 1,
        bytes = 0,
      } = fields;
      const first = fields.isSent === false ? 1 : 0;
      const hops = Array.from({ length: fields.hops ?? 3 }, (_, index) => {
        const second = fields.secondHop === "nf_hook_slow" ? 3 : 2;
        const probe = index === 0 ? first : index % 2 === 1 ? second : 1;
        return { hop: { probe, enter: at(atMs) + BigInt(index), leave: at(atMs + lastsMs) - BigInt(index) } };
      });
      recording.journey(
        {
          skb: 0xffff_8880_0000_0000n + BigInt(Math.round(atMs * 1000)),
          startMonotonicNs: at(atMs),
          endMonotonicNs: at(atMs + lastsMs),
          end: fields.end ?? wireJourneyEnd.delivered,
          dropReason: fields.end === wireJourneyEnd.dropped ? 8 : 0,
        },
        [
          {
            context: {
              ...ends(from, fields.port),
              observedMonotonicNs: at(atMs),
              flags: wire.contextNetwork | wire.contextTransport,
              ethertype: 0x0800,
              transport: 6,
              length: HEADER_BYTES + bytes,
              transportHeaderBytes: 32,
              tcpSequence: sequence >>> 0,
              tcpAcknowledgement: acknowledgement >>> 0,
              tcpFlags: flags,
              netnsCookie: fields.netnsCookie ?? cookieOf(from),
              netnsInode: Number(fields.netnsCookie ?? cookieOf(from)),
              ...fields.context,
            },
          },
          ...hops,
        ],
      );
      return builder;
    },
    request(fields) {
      const {
        from = "client",
        atMs,
        sequence = 1,
        trace,
        span,
        source,
        flags = 0,
        traceFlags = 1,
        stream = 0,
        length = 0,
      } = fields;
      recording.request({
        ...ends(from, fields.port),
        observedMonotonicNs: at(atMs),
        netnsCookie: fields.netnsCookie ?? cookieOf(from),
        netnsInode: Number(fields.netnsCookie ?? cookieOf(from)),
        sequence: sequence >>> 0,
        stream,
        length,
        flags,
        traceFlags,
        requestSource:
          source ?? (trace === undefined && !fields.ids ? wireRequestSource.none : wireRequestSource.http1),
        ...(fields.ids && {
          traceId: [...Buffer.from(fields.ids.traceId, "hex")],
          spanId: [...Buffer.from(fields.ids.spanId, "hex")],
        }),
        ...(trace === undefined ? {} : { traceId: [...traceIdOf(trace)], spanId: [...spanIdOf(span ?? trace)] }),
      });
      return builder;
    },
    announce() {
      recording.request({});
      return builder;
    },
    clock(atMs, realtimeOffsetNs = 0n) {
      const elapsed = at(atMs) - connectionStartNs;
      recording.clock(at(atMs), connectionRealtimeNs + elapsed + realtimeOffsetNs);
      return builder;
    },
    bytes: () => recording.end().bytes(),
  };
  return builder;
}
