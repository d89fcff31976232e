import { createServer } from "node:net";
import * as grpc from "@grpc/grpc-js";
import type { TraceStore } from "./create-trace-store.js";
import { decodeOtlpProtobuf, OtlpDecodeError } from "./decode-otlp.js";
import { type ListenAttempt, toListenError } from "./listen-error.js";
import { exportTraceServiceResponse } from "./otlp-messages.js";
import { type ReceiveOutcome, receiveRequest } from "./receive-request.js";
import type { DecodedRequest } from "./span-record.js";

export interface ReceiverOptions {
  readonly store: TraceStore;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of a request as it is decompressed; OTLP recommends senders to stay below 4 MiB. */
  readonly maxRequestBytes: number;
}

export interface Receiver {
  /** Throws ListenError. */
  start(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}

/** A body that does not decode is kept as its error: grpc-js would answer INTERNAL if the deserializer threw. */
type Received = DecodedRequest | OtlpDecodeError;

const TRACE_SERVICE = {
  Export: {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    requestStream: false,
    responseStream: false,
    requestDeserialize: deserialize,
    requestSerialize: () => Buffer.alloc(0),
    responseSerialize: serializeOutcome,
    responseDeserialize: () => ({ rejectedSpans: 0, errorMessage: "" }),
  },
} satisfies grpc.ServiceDefinition<{ Export: grpc.handleUnaryCall<Received, ReceiveOutcome> }>;

/** OTLP/gRPC's TraceService; gzip is grpc-js' own. */
export function createGrpcReceiver({ store, host, port, maxRequestBytes }: ReceiverOptions): Receiver {
  const server = new grpc.Server({ "grpc.max_receive_message_length": maxRequestBytes });
  server.addService(TRACE_SERVICE, {
    Export(call: grpc.ServerUnaryCall<Received, ReceiveOutcome>, answer: grpc.sendUnaryData<ReceiveOutcome>) {
      if (call.request instanceof OtlpDecodeError) {
        return answer({ code: grpc.status.INVALID_ARGUMENT, details: call.request.message });
      }
      answer(null, receiveRequest(store, call.request));
    },
  });
  return { start: () => bind(server, host, port), close: () => shutDown(server) };
}

async function bind(server: grpc.Server, host: string, port: number): Promise<{ port: number }> {
  if (port !== 0) await assertFree(host, port);
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) return resolve({ port: bound });
      reject(toListenError(error, describeAttempt(host, port)));
    });
  });
}

/** grpc-js prints to standard error when it cannot listen; asking the system first keeps the terminal to our words. */
function assertFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => reject(toListenError(error, describeAttempt(host, port))));
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

function describeAttempt(host: string, port: number): ListenAttempt {
  return { what: "the OTLP/gRPC receiver", host, port, mend: "choose another port for OTLP/gRPC" };
}

/** A sender that keeps its connection must not keep us from ending. */
const SHUTDOWN_TIMEOUT_MS = 1_000;

function shutDown(server: grpc.Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, SHUTDOWN_TIMEOUT_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function deserialize(bytes: Buffer): Received {
  try {
    return decodeOtlpProtobuf(bytes);
  } catch (error) {
    if (error instanceof OtlpDecodeError) return error;
    throw error;
  }
}

/** OTLP: partial_success must not be set when everything was accepted. */
export function serializeOutcome(outcome: ReceiveOutcome): Buffer {
  const message = outcome.rejectedSpans === 0 ? {} : { partialSuccess: outcome };
  return Buffer.from(exportTraceServiceResponse.encode(message).finish());
}
