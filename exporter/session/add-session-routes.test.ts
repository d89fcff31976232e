import assert from "node:assert/strict";
import { test } from "node:test";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { addSessionRoutes } from "./add-session-routes.js";
import { createSessionManager } from "./create-session-manager.js";

/** Nothing is started: who is refused does not get that far. */
const manager = createSessionManager(() => assert.fail("a session is started"));

test("who is refused reaches nothing, nor does a page of a browser", async () => {
  let isRefused = true;
  const refuses = async (_: FastifyRequest, reply: FastifyReply): Promise<boolean> => {
    if (isRefused) void reply.code(401).send({});
    return isRefused;
  };
  const [server, serverWithToken] = [false, true].map((asksForToken) => {
    const made = Fastify();
    addSessionRoutes(made, manager, { refuses, asksForToken });
    return made;
  });
  assert.ok(server && serverWithToken);
  const ask = async (method: "GET" | "POST" | "DELETE", url: string, headers = {}) => {
    const payload = method === "POST" ? { payload: { spec: {} } } : {};
    return (await server.inject({ method, url, headers, ...payload })).statusCode;
  };
  const paths = [
    ["GET", "/v1/sessions"],
    ["POST", "/v1/sessions"],
    ["GET", "/v1/sessions/shop/a"],
    ["DELETE", "/v1/sessions/shop/a"],
    ["GET", "/v1/sessions/shop/a/journeys"],
  ] as const;
  for (const [method, url] of paths) assert.equal(await ask(method, url), 401, `${method} ${url}`);
  isRefused = false;
  for (const [method, url] of paths) {
    assert.equal(await ask(method, url, { origin: "http://evil.example" }), 403, `${method} ${url}`);
    assert.equal(await ask(method, url, { host: "rebound.example:9464" }), 403, `${method} ${url}`);
  }
  assert.equal(await ask("GET", "/v1/sessions", { host: "127.0.0.1:9464" }), 200);
  const rebound = { host: "rebound.example", authorization: "Bearer guessed" };
  assert.equal(await ask("GET", "/v1/sessions", rebound), 403);
  const { statusCode } = await serverWithToken.inject({ url: "/v1/sessions", headers: { host: "agent.example" } });
  assert.equal(statusCode, 200);
  assert.equal(await ask("GET", "/v1/sessions/shop/a/journeys"), 404);
  await server.close();
  await serverWithToken.close();
});
