import type { TestContext } from "node:test";
import { listenGrpc } from "./listen-grpc.js";
import { listenHttp } from "./listen-http.js";
import { traceIdsOf } from "./otlp-schema.js";

/** How a request is answered; all absent: it is accepted. */
export interface Answer {
  /** gRPC's status code. */
  readonly code?: number;
  /** In google.rpc.RetryInfo, with `code`. */
  readonly retryInfoMs?: number;
  readonly httpStatus?: number;
  readonly retryAfter?: string;
  readonly rejectedSpans?: number;
  readonly message?: string;
  readonly delayMs?: number;
  /** No answer ever. */
  readonly isSilent?: boolean;
}

export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  /** Clients need a certificate that this one has signed. */
  readonly clientAuthority?: string;
}

export interface OtlpServerOptions {
  readonly protocol?: "grpc" | "http";
  /** For gRPC also `unix:PATH`. */
  readonly host?: string;
  /** Absent: any free one. */
  readonly port?: number;
  readonly tls?: ServerTls;
  readonly maxRequestBytes?: number;
}

export interface ReceivedRequest {
  /** Decompressed. */
  readonly bytes: Buffer;
  readonly atMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: Answer;
}

export interface OtlpServer {
  readonly port: number;
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** How often each trace was accepted, whole or in part. */
  readonly accepted: ReadonlyMap<string, number>;
  /** For the next requests, in order. */
  script(...answers: readonly Answer[]): void;
  /** For every request that no script is left for. */
  otherwise(answer: Answer): void;
  /** Connections are cut. */
  stop(): Promise<void>;
}

/** Answers a request and, when it is accepted, keeps what was in it. */
export type Handle = (request: Omit<ReceivedRequest, "answer">) => Promise<Answer>;

const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** A real OTLP server, gRPC or HTTP, that answers as scripted and accepts otherwise. Stopped at the end of the test. */
export async function startOtlpServer(context: TestContext, options: OtlpServerOptions = {}): Promise<OtlpServer> {
  const { protocol = "grpc", host = "127.0.0.1", port = 0, tls, maxRequestBytes = MAX_REQUEST_BYTES } = options;
  const answers: Answer[] = [];
  const requests: ReceivedRequest[] = [];
  const accepted = new Map<string, number>();
  const undecoded: Buffer[] = [];
  let fallback: Answer = {};
  const handle: Handle = async (request) => {
    const answer = answers.shift() ?? fallback;
    requests.push({ ...request, answer });
    if (answer.isSilent) return await new Promise<never>(() => {});
    if (answer.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, answer.delayMs));
    const isAccepted = answer.code === undefined && (answer.httpStatus ?? 200) === 200;
    if (isAccepted) undecoded.push(request.bytes);
    return answer;
  };
  const address = host.includes("::") ? `[${host}]` : host;
  const listen = protocol === "grpc" ? listenGrpc : listenHttp;
  const listener = await listen({ host, port, tls, maxRequestBytes, handle });
  context.after(() => listener.stop());
  return {
    port: listener.port,
    url: `${tls ? "https" : "http"}://${address}:${listener.port}`,
    requests,
    // Decoded when asked for: server and exporter share a thread, and decoding takes longer than what is tested.
    get accepted() {
      for (const bytes of undecoded.splice(0))
        for (const trace of traceIdsOf(bytes)) accepted.set(trace, (accepted.get(trace) ?? 0) + 1);
      return accepted;
    },
    script: (...more) => void answers.push(...more),
    otherwise(answer) {
      fallback = answer;
    },
    stop: () => listener.stop(),
  };
}
