import { readFile } from "node:fs/promises";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { splitLines } from "../kubernetes/split-lines.js";
import { describeSystemError } from "../lib/describe-system-error.js";
import { type ExitCode, exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { NodeStatus } from "../session/packet-trace.js";
import { createKubectl, type Kubectl } from "./kubectl.js";
import { type PluginArguments, parsePluginArguments, usage } from "./parse-plugin-arguments.js";

interface Trace {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly phase?: string; readonly reason?: string; readonly nodes?: readonly NodeStatus[] };
}

const LOOK_EVERY_MS = 1_000;
/** An agent takes a PacketTrace within a second; the rest is for API servers that are slow. */
const TAKEN_WITHIN_MS = 30_000;
/** What an agent has sent by the end is still shown. */
const STREAM_END_TIMEOUT_MS = 5_000;
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** `kubectl skbspan`. The exit code; says on standard error what went wrong. */
export async function runPlugin(argv: readonly string[]): Promise<ExitCode> {
  try {
    const options = parsePluginArguments(argv);
    if (options) return await new Plugin(options).run();
    process.stdout.write(usage);
    return exitCode.ok;
  } catch (error) {
    const hint = error instanceof UserError && error.hint !== "" ? `\n  ${error.hint}` : "";
    say(`error: ${error instanceof UserError ? error.message : describeSystemError(error)}${hint}`);
    return error instanceof UserError ? error.code : exitCode.failure;
  }
}

class Plugin {
  private readonly kubectl: Kubectl;
  private readonly interrupted = new AbortController();
  private readonly streams = new Map<string, Promise<void>>();
  private readonly cutting = new AbortController();
  private namespace = "";
  private name = "";

  constructor(private readonly options: PluginArguments) {
    this.kubectl = createKubectl(options.kubectlArguments);
  }

  async run(): Promise<ExitCode> {
    const interrupt = (): void => this.interrupted.abort();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
    // `| head` is a way to have enough.
    process.stdout.on("error", interrupt);
    this.namespace = this.options.namespace ?? (await this.readContextNamespace());
    try {
      this.name = await this.create();
      say(`PacketTrace ${this.namespace}/${this.name}; Ctrl-C ends it`);
      return await this.follow();
    } finally {
      await this.cleanUp();
    }
  }

  private async readContextNamespace(): Promise<string> {
    const text = await this.kubectl.run(["config", "view", "--minify", "-o", "jsonpath={..namespace}"]);
    return text.trim() || "default";
  }

  private async create(): Promise<string> {
    const trace = {
      apiVersion: "skbspan.dev/v1alpha1",
      kind: "PacketTrace",
      metadata: { generateName: "kubectl-", namespace: this.namespace },
      spec: this.options.spec,
    };
    const answer = await this.kubectl.run(["create", "-f", "-", "-o", "json"], trace);
    return (JSON.parse(answer) as Trace).metadata.name;
  }

  private async follow(): Promise<ExitCode> {
    const startMs = performance.now();
    while (!this.interrupted.signal.aborted) {
      const { status } = await this.read();
      const nodes = status?.nodes ?? [];
      for (const node of nodes) if (!this.streams.has(node.name)) this.streams.set(node.name, this.show(node));
      if (status?.phase === "Ended" || status?.phase === "Failed") return this.finish(status.phase, nodes);
      if (nodes.length === 0 && performance.now() - startMs > TAKEN_WITHIN_MS)
        throw new UserError(exitCode.failure, `No agent has taken it within ${TAKEN_WITHIN_MS / 1000} s.`, {
          hint: `Has a running pod of ${this.namespace} these labels or names, and does the agent on its node serve sessions (--sessions)?`,
        });
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.interrupted.signal }).catch(() => {});
    }
    return exitCode.ok;
  }

  private async read(): Promise<Trace> {
    return JSON.parse(
      await this.kubectl.run(["get", "packettraces.skbspan.dev", this.name, "-n", this.namespace, "-o", "json"]),
    );
  }

  private async finish(phase: string, nodes: readonly NodeStatus[]): Promise<ExitCode> {
    const patience = sleep(STREAM_END_TIMEOUT_MS, undefined, { ref: false });
    await Promise.race([Promise.all(this.streams.values()), patience]);
    for (const { name, phase: nodePhase, reason, seen = 0, kept = 0, lost = 0 } of nodes)
      say(`${name}: ${nodePhase}, ${reason}; ${seen} journeys seen, ${kept} kept, ${lost} lost`);
    return phase === "Failed" ? exitCode.failure : exitCode.ok;
  }

  private async cleanUp(): Promise<void> {
    this.cutting.abort();
    if (this.name === "") return;
    // Without waiting: agents detach when they see it go.
    const args = [
      "delete",
      "packettraces.skbspan.dev",
      this.name,
      "-n",
      this.namespace,
      "--wait=false",
      "--ignore-not-found",
    ];
    await this.kubectl.run(args);
    say(`PacketTrace ${this.namespace}/${this.name} is deleted`);
  }

  /** A node that cannot be read from is no reason not to show the others. */
  private async show({ name, agent, phase }: NodeStatus): Promise<void> {
    if (phase === "Failed") return;
    try {
      await this.stream(name, agent);
    } catch (error) {
      if (!this.cutting.signal.aborted) say(`journeys of ${name} are not shown: ${describeSystemError(error)}`);
    }
  }

  private async stream(node: string, agent: string | undefined): Promise<void> {
    const { agentUrls, agentPort, authorityFile } = this.options;
    const own = agentUrls.get(node);
    const [agentNamespace, pod] = agent?.split("/") ?? [];
    if (own === undefined && (!agentNamespace || !pod)) throw new Error("its agent does not say in which pod it runs");
    const way = own === undefined ? await this.kubectl.forward(agentNamespace ?? "", pod ?? "", agentPort) : undefined;
    try {
      const base = own ?? `${authorityFile === undefined ? "http" : "https"}://${way?.url}`;
      const answer = await this.open(new URL(`/v1/sessions/${this.namespace}/${this.name}/journeys`, base));
      await this.print(node, answer);
    } finally {
      way?.close();
    }
  }

  private async open(url: URL): Promise<IncomingMessage> {
    const { tokenFile, authorityFile, isJson } = this.options;
    const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim();
    const request = url.protocol === "https:" ? requestTls : requestPlain;
    const outgoing = request(url, {
      signal: this.cutting.signal,
      headers: {
        accept: isJson ? "application/x-ndjson" : "text/plain",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(authorityFile === undefined
        ? {}
        : // The certificate is for the agent's name in the cluster; the way to it is kubectl's.
          { ca: await readFile(authorityFile), checkServerIdentity: () => undefined }),
    });
    outgoing.end();
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on("response", resolve);
      outgoing.on("error", reject);
    });
    if (answer.statusCode !== 200) throw new Error(`the agent answered with ${answer.statusCode}`);
    return answer;
  }

  /** Journey by journey, so that those of several nodes do not get mixed up. */
  private async print(node: string, answer: IncomingMessage): Promise<void> {
    let journey: string[] = [];
    for await (const line of splitLines(answer, MAX_LINE_BYTES)) {
      if (this.options.isJson) {
        if (!line.startsWith('{"end":')) process.stdout.write(`${line}\n`);
        continue;
      }
      if (line !== "") journey.push(line);
      else if (journey.length > 0) {
        process.stdout.write(`${this.streams.size > 1 ? `# ${node}\n` : ""}${journey.join("\n")}\n\n`);
        journey = [];
      }
    }
  }
}

function say(text: string): void {
  process.stderr.write(`kubectl skbspan: ${text}\n`);
}
