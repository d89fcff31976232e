import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Lab } from "../../exporter/demo/lab/create-lab.js";
import type { CommandResult } from "../../exporter/demo/lab/run-command.js";

const TRAFFIC_SCRIPT = fileURLToPath(new URL("traffic.js", import.meta.url));

/** Starts one of traffic.ts's receivers; it ends with the lab. */
export async function startReceiver(lab: Lab, namespace: string, ...args: (string | number)[]): Promise<void> {
  // Emulated guests start Node.js in seconds.
  await lab.start(namespace, [process.execPath, TRAFFIC_SCRIPT, ...args.map(String)], {
    ready: /^ready$/,
    readyTimeoutMs: 60_000,
  });
}

/** Sends by TCP and waits for the answer; returns what traffic.ts reported. */
export async function send(
  lab: Lab,
  namespace: string,
  ...args: (string | number)[]
): Promise<Record<string, unknown>> {
  const argv = [process.execPath, TRAFFIC_SCRIPT, ...args.map(String)];
  return JSON.parse(await lab.require(namespace, argv, { timeoutMs: 60_000 })) as Record<string, unknown>;
}

/** Sends UDP packets of so many bytes; returns what the shell said, such as "Connection refused", else nothing. */
export function sendUdp(lab: Lab, namespace: string, to: SocketAddress, count = 1, bytes = 100): Promise<string> {
  // A shell is there ten times faster than Node.js on an emulated machine. The second write tells of an ICMP error.
  const write = `printf "%${bytes}s" x >&3 || exit 1`;
  return runShell(
    lab,
    namespace,
    `exec 3<>/dev/udp/${to.address}/${to.port}; for n in $(seq ${count}); do ${write}; done; sleep 0.2`,
  );
}

/** Opens and closes a TCP connection; returns what the shell said when that failed. */
export function connectTcp(lab: Lab, namespace: string, to: SocketAddress): Promise<string> {
  return runShell(lab, namespace, `exec 3<>/dev/tcp/${to.address}/${to.port}`);
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

async function runShell(lab: Lab, namespace: string, script: string): Promise<string> {
  const { stderr } = await lab.run(namespace, ["bash", "-c", script], { timeoutMs: 60_000 });
  return stderr;
}

export function ping(lab: Lab, namespace: string, ...args: string[]): Promise<CommandResult> {
  return lab.run(namespace, ["ping", "-n", "-c", "1", "-W", "2", ...args], { timeoutMs: 60_000 });
}

/** The value of a counter of /proc/net/snmp or netstat, e.g. `IpExt.InNoRoutes`. */
export async function readCounter(lab: Lab, namespace: string, counter: string): Promise<number> {
  const [group = "", field = ""] = counter.split(".");
  const text = await lab.require(namespace, ["cat", "/proc/net/snmp", "/proc/net/netstat"]);
  const lines = text.split("\n").filter((line) => line.startsWith(`${group}:`));
  const position = lines[0]?.split(" ").indexOf(field) ?? -1;
  assert.ok(position > 0, `the kernel has no counter ${counter}`);
  return Number(lines[1]?.split(" ")[position]);
}

/** Asserts that a counter is at least this; namespaces start with zeros. */
export async function assertCounter(lab: Lab, namespace: string, counter: string, atLeast: number): Promise<void> {
  const value = await readCounter(lab, namespace, counter);
  assert.ok(
    value >= atLeast,
    `the laboratory failed: ${counter} of "${namespace}" is ${value}, not at least ${atLeast}`,
  );
}

/** Asserts that the first nft counter statement in this namespace counted packets. */
export async function assertFirewallCounted(lab: Lab, namespace: string): Promise<void> {
  const rules = await lab.require(namespace, ["nft", "list", "ruleset"]);
  assert.match(
    rules,
    /counter packets [1-9]/,
    `the laboratory failed: the firewall of "${namespace}" dropped nothing:\n${rules}`,
  );
}

/** Asserts that a rule of this chain counted packets. */
export async function assertIptablesCounted(
  lab: Lab,
  namespace: string,
  program: string,
  chain: string,
): Promise<void> {
  const rules = await lab.require(namespace, [program, "-nvxL", chain]);
  assert.match(
    rules,
    /^ *[1-9][0-9]* .*DROP/m,
    `the laboratory failed: the firewall of "${namespace}" dropped nothing:\n${rules}`,
  );
}

/** Two pods on one cable: a (10.9.1.2) and b (10.9.1.3). */
export async function buildPair(lab: Lab, options: { readonly ipv6?: boolean } = {}): Promise<void> {
  await Promise.all(["a", "b"].map((namespace) => lab.addNamespace(namespace, options)));
  const addresses = options.ipv6 === true ? ["fd09::2/64", "fd09::3/64"] : ["10.9.1.2/24", "10.9.1.3/24"];
  await lab.connect(
    { namespace: "a", interface: "eth0", address: addresses[0] ?? "" },
    { namespace: "b", interface: "eth0", address: addresses[1] ?? "" },
  );
  if (options.ipv6 !== true) await introduce(lab, "a", "10.9.1.3");
}

/** Pod a (10.9.1.2), node r that forwards between va and vb, pod b (10.9.2.2). */
export async function buildRouted(lab: Lab): Promise<void> {
  await Promise.all(["a", "r", "b"].map((namespace) => lab.addNamespace(namespace)));
  await lab.connect(
    { namespace: "a", interface: "eth0", address: "10.9.1.2/24" },
    { namespace: "r", interface: "va", address: "10.9.1.1/24" },
  );
  await lab.connect(
    { namespace: "b", interface: "eth0", address: "10.9.2.2/24" },
    { namespace: "r", interface: "vb", address: "10.9.2.1/24" },
  );
  await lab.ip("a", "route", "add", "default", "via", "10.9.1.1");
  await lab.ip("b", "route", "add", "default", "via", "10.9.2.1");
  await lab.sysctl("r", { "net.ipv4.ip_forward": 1 });
  await Promise.all([introduce(lab, "a", "10.9.1.1"), introduce(lab, "b", "10.9.2.1")]);
}

/**
 * Lets two neighbours learn each other's link address: a packet that waits for ARP leaves from a queue, when the answer
 * comes, and not from its sender.
 */
export async function introduce(lab: Lab, namespace: string, neighbour: string): Promise<void> {
  const { code, stdout } = await ping(lab, namespace, neighbour);
  assert.equal(code, 0, `the laboratory failed: "${namespace}" cannot reach ${neighbour}: ${stdout}`);
}
