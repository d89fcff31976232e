import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { plainStyle, renderJourneyTree } from "../export/render-journey-tree.js";
import { renderOtlpJson } from "../export/render-otlp-json.js";
import type { JourneySpans } from "../map/packet-span.js";
import type { ManagedSession, SessionManager } from "./create-session-manager.js";
import { readSessionSpec, SessionSpecError } from "./session-spec.js";

/** Who may. */
export interface Guard {
  /** Answers a request that is refused, and says whether it was. */
  refuses(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
  /** Whether it asks for a token, which a page of a browser does not have. */
  readonly asksForToken: boolean;
}

/** What a reader that does not read makes the agent keep; what comes on top is left out of its stream, and counted there. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const LOOPBACK_NAME = /^(?:127\.[0-9.]+|localhost|\[::1\])(?::\d+)?$/;

interface SessionPath {
  Params: { readonly namespace: string; readonly name: string };
}

/**
 * Sessions over HTTP: POST /v1/sessions makes one, GET shows them, GET .../journeys streams what they see, DELETE ends one. All of
 * it is for those whom `guard` lets: it starts tracers and tells headers of packets.
 */
export function addSessionRoutes(server: FastifyInstance, manager: SessionManager, guard: Guard): void {
  // A page that a browser of this machine shows is not to ask as this machine, under whatever name it reaches it.
  const refusesPages = async ({ headers }: FastifyRequest, reply: FastifyReply): Promise<boolean> => {
    const isPage = !guard.asksForToken && (headers.origin !== undefined || !LOOPBACK_NAME.test(headers.host ?? ""));
    if (isPage) void reply.code(403).send({ status: "refused", reason: "pages of a browser are not served" });
    return isPage;
  };
  const guarded = {
    preHandler: async (request: FastifyRequest, reply: FastifyReply) =>
      void ((await guard.refuses(request, reply)) || (await refusesPages(request, reply))),
  };
  const path = "/v1/sessions/:namespace/:name";
  server.get("/v1/sessions", guarded, async () => ({ sessions: manager.list().map(describe) }));
  server.post("/v1/sessions", guarded, async (request, reply) => create(manager, request.body, reply));
  server.get<SessionPath>(path, guarded, async ({ params }, reply) => {
    const session = manager.find(`${params.namespace}/${params.name}`);
    return session ? describe(session) : notFound(reply);
  });
  server.delete<SessionPath>(path, guarded, async ({ params }, reply) => {
    const session = manager.find(`${params.namespace}/${params.name}`);
    if (!session) return notFound(reply);
    session.stop("it was asked to end");
    await session.ended;
    return describe(session);
  });
  server.get<SessionPath>(`${path}/journeys`, guarded, async (request, reply) => {
    const { namespace, name } = request.params;
    const session = manager.find(`${namespace}/${name}`);
    if (!session) return notFound(reply);
    reply.hijack();
    stream(session, reply.raw, request.headers.accept?.includes("json") === true);
  });
}

function create(manager: SessionManager, body: unknown, reply: FastifyReply): unknown {
  const { spec, namespace } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const isNamed = namespace === undefined || (typeof namespace === "string" && NAMESPACE.test(namespace));
  if (!isNamed) return reply.code(400).send({ status: "wrong", reason: "namespace must be a name of Kubernetes" });
  try {
    const id = `local/${randomBytes(4).toString("hex")}`;
    const session = manager.start({ id, spec: readSessionSpec(spec, namespace as string | undefined) });
    if (typeof session === "string") return reply.code(409).send({ status: "refused", reason: session });
    return reply.code(201).send(describe(session));
  } catch (error) {
    if (!(error instanceof SessionSpecError)) throw error;
    return reply.code(400).send({ status: "wrong", reason: error.message });
  }
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ status: "not found", reason: "there is no such session here" });
}

function describe(session: ManagedSession): object {
  const { id, startedAt, end } = session;
  const phase = end === undefined ? "Running" : end.isFailure ? "Failed" : "Ended";
  return { id, phase, ...(end ? { reason: end.reason } : {}), startedAt: startedAt.toISOString(), ...session.counts() };
}

/** Until the session ends or the reader goes. */
function stream(session: ManagedSession, response: ServerResponse, isJson: boolean): void {
  response.writeHead(200, { "content-type": isJson ? "application/x-ndjson" : "text/plain; charset=utf-8" });
  response.flushHeaders();
  // Packets may be long in coming.
  response.socket?.setTimeout(0);
  let leftOut = 0;
  const write = (spans: JourneySpans): void => {
    if (response.writableLength > MAX_UNREAD_BYTES) leftOut++;
    else
      response.write(
        isJson ? `${JSON.stringify(renderOtlpJson(spans))}\n` : `${renderJourneyTree(spans, plainStyle)}\n`,
      );
  };
  const cancel = session.listen(write);
  response.on("close", cancel);
  response.on("error", cancel);
  void session.ended.then(({ reason }) => {
    cancel();
    const { seen, kept, lost } = session.counts();
    const end = { reason, seen, kept, lost, leftOut };
    const notShown = leftOut === 0 ? "" : `, ${leftOut} not shown to this slow reader`;
    response.end(
      isJson
        ? `${JSON.stringify({ end })}\n`
        : `ended: ${reason}; ${seen} journeys seen, ${kept} kept, ${lost} lost${notShown}\n`,
    );
  });
}
