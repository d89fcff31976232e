import { execFileSync } from "node:child_process";
import { LabError } from "./lab-error.js";
import { readNamespaceInode, removeMarker, writeMarker } from "./lab-marker.js";
import { removeStaleLabs } from "./remove-stale-labs.js";
import { type CommandOptions, type CommandResult, killGroup, requireCommand, runCommand } from "./run-command.js";
import { type LabProcess, type StartOptions, startProcess } from "./start-process.js";

/** One end of a veth pair. */
export interface LinkEnd {
  readonly namespace: string;
  readonly interface: string;
  /** With prefix length, e.g. `10.9.1.2/24`; several are allowed. */
  readonly address?: string | readonly string[];
  /** The bridge of that namespace to put it into. */
  readonly bridge?: string;
}

/**
 * Network namespaces of our own and what connects them. Names are those given to addNamespace: the lab's prefix is
 * put before them for the system only. All methods throw LabError.
 */
export interface Lab {
  /** The name that `ip netns` shows. */
  systemName(namespace: string): string;
  /** Of all namespaces made so far, by the lab's names. */
  readonly inodes: ReadonlyMap<string, number>;
  addNamespace(namespace: string, options?: { readonly ipv6?: boolean }): Promise<void>;
  connect(left: LinkEnd, right: LinkEnd): Promise<void>;
  addBridge(namespace: string, bridge: string, address?: string): Promise<void>;
  /** `ip -n NAMESPACE ...`. */
  ip(namespace: string, ...args: string[]): Promise<string>;
  sysctl(namespace: string, settings: Readonly<Record<string, string | number>>): Promise<void>;
  /** Commands in nft's language. */
  nft(namespace: string, script: string): Promise<string>;
  /** Runs a command to its end; its failure is an answer, not an error. */
  run(namespace: string, argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a command that must succeed; returns its standard output. */
  require(namespace: string, argv: readonly string[], options?: CommandOptions): Promise<string>;
  /** Starts a command that runs until it is stopped or the lab is closed. */
  start(namespace: string, argv: readonly string[], options?: StartOptions): Promise<LabProcess>;
  /** Ends every process, removes every namespace and with them all links. Safe to call twice. */
  close(): Promise<void>;
}

let labCount = 0;

/**
 * Starts with an empty lab. `prefix` goes before the names of namespaces, default `skbspan-<pid>-<n>-`; the demo
 * gives an empty one for its names to be readable. What an earlier run that was killed left behind is removed first.
 */
export async function createLab(options: { readonly prefix?: string } = {}): Promise<Lab> {
  const id = `${process.pid}-${++labCount}`;
  await removeStaleLabs();
  return new NamespaceLab(id, options.prefix ?? `skbspan-${id}-`);
}

class NamespaceLab implements Lab {
  readonly inodes = new Map<string, number>();
  private readonly processes = new Set<LabProcess>();
  private markerPath: string | undefined;
  private closed = false;
  /** The last resort: a process that ends without close() still leaves nothing behind. */
  private readonly onExit = (): void => this.closeNow();

  constructor(
    private readonly id: string,
    private readonly prefix: string,
  ) {
    process.once("exit", this.onExit);
  }

  systemName(namespace: string): string {
    return this.prefix + namespace;
  }

  async addNamespace(namespace: string, options: { readonly ipv6?: boolean } = {}): Promise<void> {
    const name = this.systemName(namespace);
    if (this.closed) throw new LabError(`cannot make the network namespace "${name}": the lab is closed`);
    if (readNamespaceInode(name) !== 0)
      throw new LabError(
        `cannot make the network namespace "${name}": one of that name exists, and a running skbspan did not make it ` +
          `or still uses it. End that run, or remove the namespace with \`ip netns delete ${name}\``,
      );
    await requireCommand(["ip", "netns", "add", name]);
    this.inodes.set(namespace, readNamespaceInode(name));
    this.writeMarker();
    // Without IPv6 a lab is quiet: no neighbour discovery, no router solicitations among the traffic.
    const disableIpv6 = options.ipv6 === true ? 0 : 1;
    await this.sysctl(namespace, {
      // A new namespace starts with the machine's own IPv4 settings.
      "net.ipv4.ip_forward": 0,
      "net.ipv4.conf.all.rp_filter": 0,
      "net.ipv4.conf.default.rp_filter": 0,
      "net.ipv6.conf.all.disable_ipv6": disableIpv6,
      "net.ipv6.conf.default.disable_ipv6": disableIpv6,
    });
    await this.ip(namespace, "link", "set", "lo", "up");
  }

  async connect(left: LinkEnd, right: LinkEnd): Promise<void> {
    await this.ipBatch(left.namespace, [
      `link add ${left.interface} type veth peer name ${right.interface} netns ${this.systemName(right.namespace)}`,
      ...endCommands(left),
    ]);
    await this.ipBatch(right.namespace, endCommands(right));
  }

  async addBridge(namespace: string, bridge: string, address?: string): Promise<void> {
    await this.ipBatch(namespace, [
      `link add ${bridge} type bridge forward_delay 0`,
      ...(address === undefined ? [] : [`address add ${address} dev ${bridge}`]),
      `link set ${bridge} up`,
    ]);
  }

  /** One process for many commands: that counts on emulated machines. */
  private ipBatch(namespace: string, commands: readonly string[]): Promise<string> {
    return requireCommand(["ip", "-n", this.systemName(namespace), "-batch", "-"], {
      input: `${commands.join("\n")}\n`,
    });
  }

  ip(namespace: string, ...args: string[]): Promise<string> {
    return requireCommand(["ip", "-n", this.systemName(namespace), ...args]);
  }

  async sysctl(namespace: string, settings: Readonly<Record<string, string | number>>): Promise<void> {
    const assignments = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    await this.require(namespace, ["sysctl", "-qw", ...assignments]);
  }

  async nft(namespace: string, script: string): Promise<string> {
    return this.require(namespace, ["nft", "-f", "-"], { input: script });
  }

  async run(namespace: string, argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(this.inside(namespace, argv), options);
  }

  async require(namespace: string, argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    return requireCommand(this.inside(namespace, argv), options);
  }

  async start(namespace: string, argv: readonly string[], options: StartOptions = {}): Promise<LabProcess> {
    const started = await startProcess(this.inside(namespace, argv), options);
    this.processes.add(started);
    void started.exited.then(() => this.processes.delete(started));
    return started;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await Promise.all([...this.processes].map((each) => each.stop()));
    for (const namespace of [...this.inodes.keys()].reverse()) await this.removeNamespace(namespace);
    this.forget();
  }

  private async removeNamespace(namespace: string): Promise<void> {
    const name = this.systemName(namespace);
    if (readNamespaceInode(name) !== this.inodes.get(namespace)) return; // somebody else removed it
    await requireCommand(["ip", "netns", "delete", name]);
  }

  /** As close(), without waiting for anything: all that can be done while the process exits. */
  private closeNow(): void {
    if (this.closed && this.markerPath === undefined) return;
    for (const each of this.processes) killGroup(each.pid, "SIGKILL");
    for (const [namespace, inode] of [...this.inodes].reverse()) {
      const name = this.systemName(namespace);
      if (readNamespaceInode(name) !== inode) continue;
      try {
        execFileSync("ip", ["netns", "delete", name], { stdio: "ignore", timeout: 5_000 });
      } catch {
        // The marker tells the next run.
        return;
      }
    }
    this.forget();
  }

  private forget(): void {
    process.off("exit", this.onExit);
    this.inodes.clear();
    if (this.markerPath !== undefined) removeMarker(this.markerPath);
    this.markerPath = undefined;
  }

  private writeMarker(): void {
    const byName = new Map([...this.inodes].map(([namespace, inode]) => [this.systemName(namespace), inode]));
    this.markerPath = writeMarker(this.id, byName);
  }

  private inside(namespace: string, argv: readonly string[]): string[] {
    if (!this.inodes.has(namespace)) throw new LabError(`the lab has no network namespace "${namespace}"`);
    return ["ip", "netns", "exec", this.systemName(namespace), ...argv];
  }
}

function endCommands(end: LinkEnd): string[] {
  const addresses = typeof end.address === "string" ? [end.address] : (end.address ?? []);
  return [
    // Duplicate address detection would hold an IPv6 address back for a second.
    ...addresses.map(
      (address) => `address add ${address} dev ${end.interface}${address.includes(":") ? " nodad" : ""}`,
    ),
    ...(end.bridge === undefined ? [] : [`link set ${end.interface} master ${end.bridge}`]),
    `link set ${end.interface} up`,
  ];
}
