import { fileURLToPath } from "node:url";
import { buildGoPrograms, type GoProgram } from "../../backends/lib/go-programs.js";

/** Where the programs are: real ones, in the cache (SKBSPAN_CACHE, default ~/.cache/skbspan), each in a folder of its own. */
export type ClusterPrograms<Name extends ClusterProgramName = ClusterProgramName> = Readonly<Record<Name, string>>;
export type ClusterProgramName = "etcd" | KubernetesProgramName;

const KUBERNETES_VERSION = "1.35.4";
const ETCD_VERSION = "3.6.16";

/** In the order in which they are built: the first has most of what the others need. */
const kubernetesNames = [
  "kube-apiserver",
  "kubectl",
  "kubelet",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
] as const;
type KubernetesProgramName = (typeof kubernetesNames)[number];

/** What tests against the API server alone need. */
export const apiServerProgramNames = ["etcd", "kube-apiserver"] as const satisfies readonly ClusterProgramName[];

const programsDirectory = fileURLToPath(new URL("../../../../test/cluster/programs", import.meta.url));

const etcd: GoProgram = {
  name: "etcd",
  version: ETCD_VERSION,
  source: `${programsDirectory}/etcd`,
  package: "go.etcd.io/etcd/server/v3",
};

const programs: readonly GoProgram[] = [etcd, ...kubernetesNames.map(describeKubernetesProgram)];

/**
 * Gives a cluster's programs from the cache, or builds those that are not there: about ten minutes of two cores for all, most
 * of them for the API server.
 */
export async function installCluster<Name extends ClusterProgramName = ClusterProgramName>(
  names: readonly Name[] = [etcd.name, ...kubernetesNames] as readonly ClusterProgramName[] as readonly Name[],
  onProgress: (text: string) => void = () => {},
): Promise<ClusterPrograms<Name>> {
  const wanted = programs.filter(({ name }) => (names as readonly string[]).includes(name));
  const paths = await buildGoPrograms(wanted, onProgress);
  return Object.fromEntries(wanted.map(({ name }, index) => [name, paths[index]])) as ClusterPrograms<Name>;
}

/** A build from modules knows no version, and an API server without one refuses what newer ones may do. */
function describeKubernetesProgram(name: KubernetesProgramName): GoProgram {
  const [major = "", minor = ""] = KUBERNETES_VERSION.split(".");
  const values = {
    gitVersion: `v${KUBERNETES_VERSION}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "clean",
    gitCommit: "0".repeat(40),
    buildDate: "2026-01-01T00:00:00Z",
  };
  return {
    name,
    version: KUBERNETES_VERSION,
    source: `${programsDirectory}/kubernetes`,
    package: `k8s.io/kubernetes/cmd/${name}`,
    variables: Object.fromEntries(
      Object.entries(values).map(([variable, value]) => [`k8s.io/component-base/version.${variable}`, value]),
    ),
  };
}
