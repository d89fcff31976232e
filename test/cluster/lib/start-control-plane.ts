import { join } from "node:path";
import { type Service, startService } from "../../backends/lib/start-service.js";
import { runProgram } from "../../kernels/run-program.js";
import { clusterNetwork } from "./cluster-network.js";
import type { ClusterPrograms } from "./install-cluster.js";
import type { ClusterCertificates, ClusterMember } from "./make-cluster-certificates.js";

export interface ControlPlane {
  /** Runs kubectl as an administrator; gives its standard output. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** As a crash. */
  killApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

const ETCD = "http://127.0.0.1:2379";
const KUBECTL_TIMEOUT_MS = 180_000;

/** etcd, the API server, the controller manager and the scheduler. */
export async function startControlPlane(
  programs: ClusterPrograms,
  certificates: ClusterCertificates,
  folder: string,
): Promise<ControlPlane> {
  const services: Service[] = [];
  const kubectl = (...args: readonly string[]) =>
    runProgram(programs.kubectl, ["--kubeconfig", certificates.kubeconfig("admin"), ...args], {
      timeoutMs: KUBECTL_TIMEOUT_MS,
      environment: { HOME: folder },
    });
  const isApiReady = () =>
    kubectl("get", "--raw", "/readyz", "--request-timeout=5s").then(
      () => true,
      () => false,
    );
  let apiServer: Service | undefined;
  const startApiServer = async (): Promise<void> => {
    apiServer = await startService({
      name: "The API server",
      argv: [programs["kube-apiserver"], ...apiServerArguments(certificates)],
      ready: isApiReady,
      readyTimeoutMs: 300_000,
    });
  };
  const stop = async (): Promise<void> => {
    for (const service of services.reverse()) await service.stop();
    await apiServer?.stop();
  };
  try {
    const etcd = [programs.etcd, "--data-dir", join(folder, "etcd"), "--unsafe-no-fsync", "--log-level", "warn"];
    const addresses = [
      "--listen-client-urls",
      ETCD,
      "--advertise-client-urls",
      ETCD,
      "--listen-peer-urls",
      "http://127.0.0.1:2380",
    ];
    services.push(await startService({ name: "etcd", argv: [...etcd, ...addresses], ready: `${ETCD}/health` }));
    await startApiServer();
    for (const [name, argv] of controllers(programs, certificates))
      services.push(await startService({ name, argv, ready: async () => true }));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubectl,
    startApiServer,
    killApiServer: async () => void (await apiServer?.kill()),
    stop,
  };
}

function apiServerArguments(certificates: ClusterCertificates): string[] {
  const { certificate, key } = certificates;
  return [
    `--etcd-servers=${ETCD}`,
    "--bind-address=0.0.0.0",
    "--secure-port=6443",
    `--advertise-address=${clusterNetwork.node}`,
    `--service-cluster-ip-range=${clusterNetwork.services}`,
    "--allow-privileged=true",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--kubelet-preferred-address-types=InternalIP",
    `--client-ca-file=${certificates.authority}`,
    `--tls-cert-file=${certificate("kube-apiserver")}`,
    `--tls-private-key-file=${key("kube-apiserver")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${certificates.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${certificates.serviceAccountKey}`,
    `--kubelet-client-certificate=${certificate("kubelet-client")}`,
    `--kubelet-client-key=${key("kubelet-client")}`,
    `--kubelet-certificate-authority=${certificates.authority}`,
  ];
}

function controllers(programs: ClusterPrograms, certificates: ClusterCertificates): [string, string[]][] {
  const common = (name: ClusterMember) => {
    const kubeconfig = certificates.kubeconfig(name);
    const ways = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"];
    return [...ways.map((way) => `--${way}=${kubeconfig}`), "--bind-address=127.0.0.1", "--leader-elect=false"];
  };
  const manager = [
    programs["kube-controller-manager"],
    ...common("kube-controller-manager"),
    `--service-account-private-key-file=${certificates.serviceAccountKey}`,
    `--root-ca-file=${certificates.authority}`,
    "--use-service-account-credentials=true",
    "--allocate-node-cidrs=true",
    `--cluster-cidr=${clusterNetwork.pods}`,
    `--service-cluster-ip-range=${clusterNetwork.services}`,
  ];
  return [
    ["The controller manager", manager],
    ["The scheduler", [programs["kube-scheduler"], ...common("kube-scheduler")]],
  ];
}
