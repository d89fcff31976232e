import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Ports } from "../../test/applications/apps/sockets-of-all-kinds.js";
import { readLoopback, type SeenPacket } from "../../test/applications/read-loopback.js";
import { fetchNode } from "../../test/lib/fetch-node.js";
import { makeCertificates } from "../../test/lib/make-certificates.js";
import { createLab, type Lab } from "../demo/lab/create-lab.js";

/*
 * What an application tells and when it does so: as tcpdump sees it on the loopback interface of a network namespace, among the
 * segments of its connections.
 */

const skip = process.getuid?.() === 0 ? false : "SKIPPED, network namespaces need root: run the tests with sudo";
const APPLICATION = fileURLToPath(new URL("../../test/applications/apps/sockets-of-all-kinds.js", import.meta.url));
const REGISTER = fileURLToPath(new URL("register.cjs", import.meta.url));
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const DROPPED_PORT = 7099;
/** By default its buffer holds eight packets, of the largest that there can be. */
const TCPDUMP = "tcpdump -i lo -U --immediate-mode -s 512 -B 16384";

interface Run {
  readonly steps: Readonly<Record<string, Ports>>;
  readonly packets: readonly SeenPacket[];
}

const ways = [
  { name: "with --import", major: 20, flags: ["--import", "skbspan/register"] },
  { name: "with --require", major: 20, flags: ["--require", REGISTER] },
  { name: "with Node.js 22", major: 22, flags: ["--import", "skbspan/register"] },
  { name: "with Node.js 24", major: 24, flags: ["--import", "skbspan/register"] },
];

for (const { name, major, flags } of ways)
  describe(`the helper for Node.js applications, ${name}`, { skip, timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), "skbspan-register-"));
    let lab: Lab;
    let run: Run;

    before(async () => {
      lab = await createLab();
      await lab.addNamespace("a", { ipv6: true });
      await lab.nft(
        "a",
        `table inet t { chain c { type filter hook input priority 0; tcp dport ${DROPPED_PORT} drop; }; }`,
      );
      const program = process.version.startsWith(`v${major}.`) ? process.execPath : await fetchNode(major);
      run = await runApplication(lab, [program, ...flags], join(folder, "lo.pcap"));
    });

    after(async () => {
      await lab?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** What was seen of a step's connection, in order. */
    function seen(step: string): string[] {
      const ports = run.steps[step];
      assert.ok(ports, `the application did not come to ${step}`);
      return describePackets(run.packets, ports);
    }

    for (const host of ["127.0.0.1", "::1"])
      it(`tells before the segment whose bytes they are, when that changes, over ${host}`, () => {
        assert.deepEqual(seen(host), [
          ...["SYN", "opening a0 01"],
          ...["writing a1 01", "data", "data", "data"],
          ...["writing a2 00", "data", "writing a1 01", "data"],
        ]);
      });

    it("tells of what was written while connecting once it leaves", () => {
      assert.deepEqual(seen("early").slice(0, 4), ["SYN", "opening b0 01", "writing b2 01", "data"]);
    });

    it("tells of a server's answers", () => {
      assert.deepEqual(seen("server"), ["answering c1 01", "data"]);
    });

    it("tells nothing where tracing is off, without a valid span, or of a socket that is not TCP's", () => {
      assert.deepEqual(seen("nothing"), ["SYN", "data", "data"]);
      const told = run.packets.flatMap((packet) => (packet.told === undefined ? [] : [packet.told.spanId]));
      assert.ok(told.length > 10);
      assert.ok(!told.some((spanId) => spanId.startsWith("00000000000000d") || /^0+$/.test(spanId)), told.join());
    });

    it("tells of a connection that never opens", () => {
      assert.deepEqual(seen("dropped"), ["SYN", "opening e0 01"]);
    });

    it("tells of TLS", () => {
      const all = seen("tls");
      assert.deepEqual(all.slice(0, 4), ["SYN", "opening f0 01", "writing f0 01", "data"]);
      const told = all.indexOf("writing f1 01");
      assert.deepEqual(all.slice(told), ["writing f1 01", "data"], all.join());
    });

    it("tells of requests that wait for another's connection, by HTTPS", () => {
      const told = seen("https").filter((what) => !["data", "SYN"].includes(what));
      assert.deepEqual(told, ["opening 11 01", "writing 11 01", "writing 12 01"]);
    });

    it("tells of HTTP/2 with TLS, by the request's own header where it has one", () => {
      const told = seen("http2").filter((what) => !["data", "SYN"].includes(what));
      assert.deepEqual(told, ["opening 20 01", "writing 20 01", "writing 21 01", "writing 23 01"]);
      const after = seen("http2");
      assert.ok(after.indexOf("writing 23 01") < after.lastIndexOf("data"));
    });

    it("tells of fetch", () => {
      const told = seen("fetch").filter((what) => !["data", "SYN"].includes(what));
      assert.deepEqual(told, ["opening 30 01", "writing 30 01", "writing 31 01"]);
    });
  });

/** The application ends by itself: that it does is part of the test. */
async function runApplication(lab: Lab, node: readonly string[], captureFile: string): Promise<Run> {
  const certificates = makeCertificates();
  try {
    const authority = certificates.createAuthority("authority");
    const { keyFile, certificateFile } = authority.issue("localhost");
    const capture = await lab.start("a", ["sh", "-c", `exec ${TCPDUMP} -w ${captureFile} 2>&1`], {
      ready: /listening on lo/,
    });
    const environment = [`NODE_EXTRA_CA_CERTS=${authority.certificateFile}`, "NODE_NO_WARNINGS=1"];
    const args = [APPLICATION, keyFile, certificateFile, authority.certificateFile, String(DROPPED_PORT)];
    const { code, stdout, stderr } = await lab.run("a", ["env", ...environment, ...node, ...args]);
    await capture.stop();
    assert.equal(code, 0, stderr);
    return { steps: JSON.parse(stdout) as Record<string, Ports>, packets: readLoopback(readFileSync(captureFile)) };
  } finally {
    certificates.remove();
  }
}

/** Of one direction of a connection: its SYN, its segments with data, and what was told of it. */
function describePackets(packets: readonly SeenPacket[], { client, server }: Ports): string[] {
  return packets.flatMap(({ told, tcp }) => {
    if (told !== undefined && told.localPort === client && told.remotePort === server) {
      assert.equal(told.traceId, TRACE_ID);
      assert.equal(told.localAddress, told.remoteAddress);
      return [`${told.kind} ${told.spanId.slice(-2)} ${told.flags}`];
    }
    if (tcp?.sourcePort !== client || tcp.destinationPort !== server) return [];
    if (tcp.isSyn) return tcp.isAck ? [] : ["SYN"];
    return tcp.payloadBytes > 0 ? ["data"] : [];
  });
}
