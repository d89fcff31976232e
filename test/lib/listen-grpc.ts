import { Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { integerField, lengthDelimited } from "../../exporter/export/protobuf-writer.js";
import { encodePartialSuccess } from "./otlp-schema.js";
import type { Answer, Handle, ServerTls } from "./start-otlp-server.js";

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls | undefined;
  readonly maxRequestBytes: number;
  readonly handle: Handle;
}

export interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

const raw = (bytes: Buffer): Buffer => bytes;
const definition = {
  export: {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    requestStream: false,
    responseStream: false,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  },
} as const;

type Reply = (error: object | null, value?: Buffer) => void;

export async function listenGrpc({ host, port, tls, maxRequestBytes, handle }: ListenOptions): Promise<Listener> {
  const server = new Server({ "grpc.max_receive_message_length": maxRequestBytes });
  server.addService(definition, {
    export(call: { request: Buffer; metadata: Metadata }, reply: Reply) {
      const headers = call.metadata.getMap() as Record<string, string>;
      void handle({ bytes: call.request, atMs: performance.now(), headers }).then((answer) => send(answer, reply));
    },
  });
  const address = host.includes("::") ? `[${host}]` : host;
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(host.startsWith("unix:") ? host : `${address}:${port}`, credentialsOf(tls), (error, boundPort) => {
      if (error) reject(error);
      else resolve(boundPort);
    });
  });
  return { port: bound, stop: async () => server.forceShutdown() };
}

function credentialsOf(tls: ServerTls | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) };
  const authority = tls.clientAuthority === undefined ? null : Buffer.from(tls.clientAuthority);
  return ServerCredentials.createSsl(authority, [pair], authority !== null);
}

function send(answer: Answer, reply: Reply): void {
  const { code, rejectedSpans, message = "scripted" } = answer;
  if (code === undefined) {
    return reply(null, Buffer.from(rejectedSpans === undefined ? [] : encodePartialSuccess(rejectedSpans, message)));
  }
  const metadata = new Metadata();
  if (answer.retryInfoMs !== undefined) metadata.set("grpc-status-details-bin", retryInfo(code, answer.retryInfoMs));
  reply({ code, details: message, metadata });
}

/** google.rpc.Status with a google.rpc.RetryInfo. */
function retryInfo(code: number, delayMs: number): Buffer {
  const duration = Buffer.concat([
    integerField(1, Math.floor(delayMs / 1000)),
    integerField(2, (delayMs % 1000) * 1e6),
  ]);
  const any = Buffer.concat([
    lengthDelimited(1, "type.googleapis.com/google.rpc.RetryInfo"),
    lengthDelimited(2, lengthDelimited(1, duration)),
  ]);
  return Buffer.concat([integerField(1, code), lengthDelimited(3, any)]);
}
