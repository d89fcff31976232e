import { parseArgs } from "node:util";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { parseSelector } from "./parse-selector.js";

export interface PluginArguments {
  /** Passed on to every kubectl. */
  readonly kubectlArguments: readonly string[];
  readonly namespace: string | undefined;
  /** Of the PacketTrace; the API server checks it. */
  readonly spec: object;
  readonly isJson: boolean;
  /** How agents are read from. */
  readonly agentPort: number;
  /** By node, where they are reached without `kubectl port-forward`. */
  readonly agentUrls: ReadonlyMap<string, string>;
  readonly tokenFile: string | undefined;
  readonly authorityFile: string | undefined;
}

export const usage = `kubectl skbspan [-n NAMESPACE] [-l SELECTOR] [--pod NAME ...] [FILTER]

Traces packets of pods for a bounded time: makes a PacketTrace, shows journeys as they come, and deletes it at the end or on Ctrl-C.

  FILTER                 a pcap filter expression, as for tcpdump; default: all their packets
  -n, --namespace NAME   the pods' namespace; default: that of the context
  -l, --selector TEXT    their labels, as for kubectl get
      --pod NAME         only the pod of this name; may be repeated
      --node NAME        only pods on this node; may be repeated
      --duration TIME    how long on each node, such as 30s or 5m; default 60s
      --journeys N       how many of each node; default 1000
      --overhead N       how many percent of a processor the probes may take; default 20
      --probes SET       drops, core or all; default core
      --dropped-only     only dropped packets
      --json             a line of OTLP/JSON a journey, in place of trees
      --agent-port PORT  where the agents serve; default 9464
      --agent NODE=URL   read from this node's agent at the URL, in place of kubectl port-forward; may be repeated
      --agent-token-file FILE, --agent-authority FILE
                         the token that agents ask for, and who signed their certificate (then by TLS)
      --context NAME, --kubeconfig FILE
                         as for kubectl
`;

const secondsPer = { s: 1, m: 60, h: 3600 } as const;

/** Undefined: the usage is asked for. Throws UserError. */
export function parsePluginArguments(argv: readonly string[]): PluginArguments | undefined {
  const { values, positionals } = readArguments(argv);
  if (values.help) return undefined;
  const selector = values.selector === undefined ? undefined : parseSelector(values.selector);
  if (values.selector !== undefined && !selector)
    fail("--selector", "must be a label selector such as app=web,tier!=db");
  const limits = {
    ...(values.duration === undefined ? {} : { durationSeconds: readSeconds(values.duration) }),
    ...(values.journeys === undefined ? {} : { journeys: readCount("--journeys", values.journeys) }),
    ...(values.overhead === undefined ? {} : { overheadPercent: readCount("--overhead", values.overhead) }),
  };
  const filter = positionals.join(" ");
  return {
    kubectlArguments: (["context", "kubeconfig"] as const).flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [`--${name}=${value}`];
    }),
    namespace: values.namespace,
    spec: {
      ...(selector ? { podSelector: selector } : {}),
      ...(values.pod ? { podNames: values.pod } : {}),
      ...(values.node ? { nodeNames: values.node } : {}),
      ...(filter === "" ? {} : { filter }),
      ...(values.probes === undefined ? {} : { probes: values.probes }),
      ...(values["dropped-only"] ? { droppedOnly: true } : {}),
      limits,
    },
    isJson: values.json === true,
    agentPort: values["agent-port"] === undefined ? 9464 : readCount("--agent-port", values["agent-port"]),
    agentUrls: new Map((values.agent ?? []).map(readAgent)),
    tokenFile: values["agent-token-file"],
    authorityFile: values["agent-authority"],
  };
}

function readArguments(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const list = { type: "string", multiple: true } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        namespace: { ...text, short: "n" },
        selector: { ...text, short: "l" },
        pod: list,
        node: list,
        duration: text,
        journeys: text,
        overhead: text,
        probes: text,
        "dropped-only": flag,
        json: flag,
        "agent-port": text,
        agent: list,
        "agent-token-file": text,
        "agent-authority": text,
        context: text,
        kubeconfig: text,
        help: { ...flag, short: "h" },
      },
    });
  } catch (error) {
    throw new UserError(exitCode.usage, error instanceof Error ? error.message : String(error), { hint });
  }
}

const hint = "`kubectl skbspan --help` explains the options.";

function readSeconds(value: string): number {
  const match = /^(\d{1,6})(s|m|h)$/.exec(value);
  if (!match) return fail("--duration", "must be a time with its unit (s, m, h) such as 30s");
  return Number(match[1]) * secondsPer[match[2] as keyof typeof secondsPer];
}

function readCount(name: string, value: string): number {
  return /^\d{1,9}$/.test(value) ? Number(value) : fail(name, "must be a whole number");
}

function readAgent(value: string): [string, string] {
  const [node, url] = [value.slice(0, value.indexOf("=")), value.slice(value.indexOf("=") + 1)];
  if (!value.includes("=") || !/^https?:\/\//.test(url)) return fail("--agent", "must be NODE=URL");
  return [node, url];
}

function fail(name: string, rule: string): never {
  throw new UserError(exitCode.usage, `${name} ${rule}.`, { hint });
}
