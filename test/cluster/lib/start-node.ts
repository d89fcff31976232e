import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Service, startService } from "../../backends/lib/start-service.js";
import { runProgram } from "../../kernels/run-program.js";
import { clusterNetwork } from "./cluster-network.js";
import type { ClusterPrograms } from "./install-cluster.js";
import type { ContainerPrograms } from "./install-containers.js";
import type { ClusterCertificates } from "./make-cluster-certificates.js";

export const PAUSE_IMAGE = "localhost/pause:test";

export interface NodeOptions {
  readonly programs: ClusterPrograms;
  readonly containers: ContainerPrograms;
  readonly certificates: ClusterCertificates;
  readonly folder: string;
  /** The control group, below the root of every hierarchy, in which the node's pods are. */
  readonly cgroup: string;
  /** Docker archives. */
  readonly images: readonly string[];
}

export interface Node {
  stop(): Promise<void>;
}

/** containerd, the kubelet and kube-proxy of the node `node1`. */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { containers, folder, images } = options;
  const services: Service[] = [];
  const stop = async (): Promise<void> => {
    for (const service of services.reverse()) await service.stop();
  };
  try {
    await writeConfigurations(options);
    const socket = join(folder, "containerd.sock");
    const ctr = (...args: readonly string[]) => runProgram(containers.ctr, ["-a", socket, "-n", "k8s.io", ...args]);
    services.push(
      await startService({
        name: "containerd",
        argv: [containers.containerd, "-c", join(folder, "containerd.toml"), "-l", "info"],
        environment: { PATH: `${containers.path}:${process.env["PATH"]}` },
        ready: () =>
          ctr("version").then(
            () => true,
            () => false,
          ),
      }),
    );
    for (const image of images) await ctr("images", "import", image);
    services.push(await startService(kubelet(options)));
    services.push(await startService(kubeProxy(options)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function kubelet({ programs, certificates, folder }: NodeOptions) {
  const argv = [
    programs.kubelet,
    `--config=${join(folder, "kubelet.json")}`,
    `--kubeconfig=${certificates.kubeconfig("kubelet")}`,
    `--root-dir=${join(folder, "kubelet")}`,
    `--cert-dir=${join(folder, "kubelet/pki")}`,
    "--hostname-override=node1",
    `--node-ip=${clusterNetwork.node}`,
    "-v=2",
  ];
  return { name: "The kubelet", argv, ready: "http://127.0.0.1:10248/healthz" };
}

function kubeProxy({ programs, folder }: NodeOptions) {
  const argv = [programs["kube-proxy"], `--config=${join(folder, "kube-proxy.json")}`, "-v=2"];
  return { name: "kube-proxy", argv, ready: "http://127.0.0.1:10256/livez" };
}

async function writeConfigurations(options: NodeOptions): Promise<void> {
  const { folder } = options;
  for (const name of ["cni/net.d", "containerd", "kubelet"]) await mkdir(join(folder, name), { recursive: true });
  const write = (name: string, content: string | object) =>
    writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  await write("cni/net.d/10-test.conflist", cniConfiguration(folder));
  await write("containerd.toml", containerdConfiguration(options));
  await write("kubelet.json", kubeletConfiguration(options));
  await write("kube-proxy.json", kubeProxyConfiguration(options));
}

function cniConfiguration(folder: string) {
  const ranges = [[{ subnet: clusterNetwork.podsOfNode }]];
  const ipam = { type: "host-local", dataDir: join(folder, "cni/ipam"), ranges, routes: [{ dst: "0.0.0.0/0" }] };
  const bridge = { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: false, hairpinMode: true, ipam };
  return { cniVersion: "1.0.0", name: "test", plugins: [bridge] };
}

/** The machine may lack CAP_SYS_RESOURCE, which lowering oom_score_adj asks for, and AppArmor's profiles. */
function containerdConfiguration({ containers, folder }: NodeOptions): string {
  return `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "${folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "${containers.runc}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${containers.cniPlugins}"
    conf_dir = "${folder}/cni/net.d"
`;
}

function kubeletConfiguration({ certificates, folder, cgroup }: NodeOptions) {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
    address: clusterNetwork.node,
    healthzBindAddress: "127.0.0.1",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: certificates.authority },
    },
    authorization: { mode: "AlwaysAllow" },
    tlsCertFile: certificates.certificate("kubelet"),
    tlsPrivateKeyFile: certificates.key("kubelet"),
    cgroupDriver: "cgroupfs",
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    resolvConf: "/dev/null",
    // Nobody answers there: the tests use addresses.
    clusterDNS: ["10.96.0.10"],
    syncFrequency: "10s",
    nodeStatusUpdateFrequency: "4s",
    makeIPTablesUtilChains: false,
    localStorageCapacityIsolation: false,
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    maxPods: 110,
    oomScoreAdj: 0,
  };
}

function kubeProxyConfiguration({ certificates }: NodeOptions) {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    hostnameOverride: "node1",
    clusterCIDR: clusterNetwork.pods,
    clientConnection: { kubeconfig: certificates.kubeconfig("kube-proxy") },
    bindAddress: clusterNetwork.node,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    oomScoreAdj: 0,
    nodePortAddresses: ["10.89.0.0/24"],
  };
}
