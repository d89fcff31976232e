import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { poll } from "../../backends/lib/poll.js";
import { runProgram } from "../../kernels/run-program.js";
import { AGENT_IMAGE } from "./build-image.js";
import { clusterNetwork } from "./cluster-network.js";
import { installHelm } from "./install-helm.js";
import type { Cluster } from "./start-cluster.js";

export const AGENT_NAMESPACE = "skbspan";
const chart = fileURLToPath(new URL("../../../../deploy/chart/skbspan", import.meta.url));

/** Installs the chart, or gives it other values, and waits until the agent is ready. `settings` are as for `helm --set`. */
export async function installAgent(cluster: Cluster, kubeconfig: string, settings: readonly string[]): Promise<void> {
  const helm = await installHelm();
  const [repository, tag] = AGENT_IMAGE.split(":");
  const all = [
    ...[`image.repository=${repository}`, `image.tag=${tag}`, "image.pullPolicy=Never"],
    `otlp.endpoint=http://${clusterNetwork.node}:4317`,
    ...settings,
  ];
  await cluster.apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: AGENT_NAMESPACE, labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
  });
  await runProgram(helm, [
    ...["upgrade", "--install", "skbspan", chart, "--namespace", AGENT_NAMESPACE, "--kubeconfig", kubeconfig],
    ...all.flatMap((setting) => ["--set", setting]),
  ]);
  await cluster
    .kubectl("-n", AGENT_NAMESPACE, "rollout", "status", "daemonset/skbspan", "--timeout=170s")
    .catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await describeAgent(cluster)}`);
    });
}

/** For a test that fails: what the cluster says about the agent, and the agent about itself. */
export async function describeAgent({ kubectl }: Cluster): Promise<string> {
  const ask = (...args: string[]) => kubectl("-n", AGENT_NAMESPACE, ...args).catch((error: Error) => error.message);
  return [
    await ask("describe", "pods"),
    await ask("logs", "daemonset/skbspan", "--tail=60"),
    await ask("get", "events"),
  ].join("\n");
}

export interface AgentProcess {
  readonly command: string;
  /** Fields of /proc/PID/status. */
  readonly status: ReadonlyMap<string, string>;
}

/** The processes in the agent's container, as the node sees them. */
export async function readAgentProcesses(): Promise<AgentProcess[]> {
  return poll("a tracer that has given up its rights", async () => {
    const processes = await readProcesses();
    const tracer = processes.find(({ command }) => command.startsWith("/app/build/skbspan-tracer"));
    return tracer && /^0+$/.test(tracer.status.get("CapEff") ?? "") ? processes : undefined;
  });
}

async function readProcesses(): Promise<AgentProcess[]> {
  const found = await Promise.all(
    (await readdir("/proc"))
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const command = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
        const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
        return {
          command,
          status: new Map([...text.matchAll(/^(\w+):\s+(.*)$/gm)].map(([, key = "", value = ""]) => [key, value])),
        };
      }),
  );
  return found.filter(({ command }) => /^\S*(node|env) .*\/skbspan|^\/app\/build\/skbspan-tracer/.test(command));
}
