import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Receiver, type ReceiverOptions, serializeOutcome } from "./create-grpc-receiver.js";
import { decodeOtlpJson, decodeOtlpProtobuf, OtlpDecodeError } from "./decode-otlp.js";
import { toListenError } from "./listen-error.js";
import { rpcStatus } from "./otlp-messages.js";
import { type ReceiveOutcome, receiveRequest } from "./receive-request.js";
import type { DecodedRequest } from "./span-record.js";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";

/** google.rpc.Code of the failures that we answer. */
const RPC_INVALID_ARGUMENT = 3;
const RPC_NOT_FOUND = 5;
const RPC_RESOURCE_EXHAUSTED = 8;
const RPC_UNIMPLEMENTED = 12;
const RPC_INTERNAL = 13;

class RequestError extends Error {
  constructor(
    readonly httpStatus: number,
    readonly rpcCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** OTLP/HTTP's /v1/traces in protobuf and JSON, plain, gzip or deflate. Answers come in the request's encoding. */
export function createHttpReceiver({ store, host, port, maxRequestBytes }: ReceiverOptions): Receiver {
  const server = Fastify({ bodyLimit: maxRequestBytes, forceCloseConnections: true });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser([PROTOBUF, JSON_TYPE], { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.post("/v1/traces", async (request, reply) => {
    const body = await decompress(request, maxRequestBytes);
    return sendOutcome(request, reply, receiveRequest(store, decodeBody(request, body)));
  });
  answerErrors(server);
  return {
    async start() {
      try {
        await server.listen({ host, port });
      } catch (error) {
        const mend = "choose another port for OTLP/HTTP";
        throw toListenError(error, { what: "the OTLP/HTTP receiver", host, port, mend });
      }
      const address = server.server.address();
      return { port: typeof address === "object" && address !== null ? address.port : port };
    },
    close: () => server.close(),
  };
}

type Decompress = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECOMPRESS: Readonly<Record<string, Decompress>> = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** The limit holds for what comes out, too: a small body can unpack to gigabytes. */
async function decompress(request: FastifyRequest, maxRequestBytes: number): Promise<Buffer> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return body;
  const unpack = DECOMPRESS[encoding];
  if (unpack === undefined) {
    throw new RequestError(
      415,
      RPC_UNIMPLEMENTED,
      `content-encoding "${encoding}" is not known: send gzip, deflate or none`,
    );
  }
  try {
    return await unpack(body, { maxOutputLength: maxRequestBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxRequestBytes);
    throw new RequestError(400, RPC_INVALID_ARGUMENT, `the body is not ${encoding}`);
  }
}

function decodeBody(request: FastifyRequest, body: Buffer): DecodedRequest {
  return isJson(request) ? decodeOtlpJson(body.toString("utf8")) : decodeOtlpProtobuf(body);
}

function sendOutcome(request: FastifyRequest, reply: FastifyReply, outcome: ReceiveOutcome): FastifyReply {
  if (!isJson(request)) return reply.type(PROTOBUF).send(serializeOutcome(outcome));
  // 64-bit integers are strings in protobuf's JSON.
  const partialSuccess = { rejectedSpans: String(outcome.rejectedSpans), errorMessage: outcome.errorMessage };
  return reply.type(JSON_TYPE).send(JSON.stringify(outcome.rejectedSpans === 0 ? {} : { partialSuccess }));
}

function answerErrors(server: FastifyInstance): void {
  server.setNotFoundHandler((request, reply) => {
    const text = `${request.method} ${request.url} is not here: this receiver takes traces, by POST on /v1/traces`;
    return sendError(request, reply, new RequestError(404, RPC_NOT_FOUND, text));
  });
  server.setErrorHandler((error, request, reply) => sendError(request, reply, toRequestError(error, server)));
}

function toRequestError(error: unknown, server: FastifyInstance): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof OtlpDecodeError) return new RequestError(400, RPC_INVALID_ARGUMENT, error.message);
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return tooLarge(server.initialConfig.bodyLimit ?? 0);
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    return new RequestError(415, RPC_UNIMPLEMENTED, `the content-type must be ${PROTOBUF} or ${JSON_TYPE}`);
  }
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  const text = error instanceof Error ? error.message : String(error);
  return new RequestError(status, status < 500 ? RPC_INVALID_ARGUMENT : RPC_INTERNAL, text);
}

function tooLarge(maxRequestBytes: number): RequestError {
  const text = `the request has more than ${maxRequestBytes} bytes: send fewer spans at once`;
  return new RequestError(413, RPC_RESOURCE_EXHAUSTED, text);
}

function sendError(request: FastifyRequest, reply: FastifyReply, error: RequestError): FastifyReply {
  const status = { code: error.rpcCode, message: error.message };
  reply.code(error.httpStatus);
  if (isProtobuf(request)) return reply.type(PROTOBUF).send(Buffer.from(rpcStatus.encode(status).finish()));
  return reply.type(JSON_TYPE).send(JSON.stringify(status));
}

function isJson(request: FastifyRequest): boolean {
  return (request.headers["content-type"] ?? "").startsWith(JSON_TYPE);
}

function isProtobuf(request: FastifyRequest): boolean {
  return (request.headers["content-type"] ?? "").startsWith(PROTOBUF);
}
