import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { until } from "../lib/account-for.js";
import { buildExampleRecording } from "../lib/example-recording.js";
import { decodeRequest, spansOf } from "../lib/otlp-schema.js";
import { skbspanPath } from "../lib/run-skbspan.js";
import { type OtlpServer, startOtlpServer } from "../lib/start-otlp-server.js";

/**
 * The receiver's name leads elsewhere than before: the command follows once its connection has broken. One that holds is
 * kept, as by every client of gRPC and HTTP. The name is in an /etc/hosts that the command alone sees; a name server's
 * answer comes the same way, getaddrinfo.
 */

const NAME = "collector.skbspan.test";

interface Hosts {
  readonly file: string;
  write(address: string): void;
}

function makeHosts(context: TestContext): Hosts {
  const folder = mkdtempSync(join(tmpdir(), "skbspan-hosts-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "hosts");
  // In its place: what is mounted is the file, not its name.
  return { file, write: (address) => writeFileSync(file, `127.0.0.1 localhost\n${address} ${NAME}\n`) };
}

/** `skbspan replay` on standard input, in a mount namespace of its own. */
function startAgent(context: TestContext, hosts: Hosts, environment: Record<string, string>) {
  const command = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
  const agent = [process.execPath, skbspanPath, "replay", "-", "--export", "otlp"];
  const child = spawn("unshare", ["--mount", "sh", "-c", command, "sh", hosts.file, ...agent], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "ignore", "pipe"],
  });
  context.after(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return { child, ended: endOf(child), stderr: () => stderr };
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}

for (const protocol of ["grpc", "http"] as const)
  test(`${protocol}: a name that leads to another receiver is followed`, async (context) => {
    const first = await startOtlpServer(context, { protocol, host: "127.0.0.2" });
    const second = await startOtlpServer(context, { protocol, host: "127.0.0.3", port: first.port });
    const hosts = makeHosts(context);
    hosts.write("127.0.0.2");
    const agent = startAgent(context, hosts, {
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol === "grpc" ? "grpc" : "http/protobuf",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${NAME}:${first.port}`,
    });
    const bytes = buildExampleRecording(200);
    const half = bytes.length / 2;
    agent.child.stdin?.write(bytes.subarray(0, half));
    await until("requests at the first", () => first.requests.length > 0);
    hosts.write("127.0.0.3");
    await first.stop();
    agent.child.stdin?.end(bytes.subarray(half));
    assert.equal(await agent.ended, 0, agent.stderr());
    assert.ok(second.requests.length > 0);
    assert.match(agent.stderr(), /exported: 200 of 200 journeys by otlp/);
    const told = Number(/200 journeys, (\d+) spans/.exec(agent.stderr())?.[1]);
    assert.equal(spansAt(first) + spansAt(second), told);
  });

function spansAt({ requests }: OtlpServer): number {
  return requests.reduce((sum, { bytes }) => sum + spansOf(decodeRequest(bytes)).length, 0);
}
