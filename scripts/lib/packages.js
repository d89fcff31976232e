/**
 * What the scripts need of Debian's or Ubuntu's packages, and what for. `names`: the first that is there is taken.
 * @typedef {{ names: readonly string[], why: string }} Need
 */

/** @type {readonly Need[]} */
export const buildNeeds = [
  { names: ["make"], why: "builds the tracer" },
  { names: ["libc6-dev"], why: "headers for the tracer" },
  { names: ["libbpf-dev"], why: "loads BPF programs" },
  { names: ["libelf-dev"], why: "reads BPF objects" },
  { names: ["zlib1g-dev"], why: "reads BPF objects" },
  { names: ["libpcap-dev"], why: "parses filter expressions" },
];

/** @type {readonly Need[]} */
export const demoNeeds = [
  { names: ["iproute2"], why: "makes network namespaces" },
  { names: ["nftables"], why: "makes firewall rules" },
  { names: ["procps"], why: "sets the kernel's network settings" },
];

/** @type {readonly Need[]} */
export const guestNeeds = [
  { names: ["qemu-system-x86"], why: "runs other kernels" },
  { names: ["busybox-static"], why: "starts a guest" },
  { names: ["debian-archive-keyring"], why: "checks that kernels are Debian's" },
  { names: ["kmod"], why: "loads a kernel's modules" },
  { names: ["xz-utils"], why: "unpacks a kernel's modules" },
  { names: ["zstd"], why: "unpacks a kernel's modules" },
];

/** @type {readonly Need[]} */
export const testNeeds = [
  { names: ["chromium", "chromium-browser"], why: "shows the page in its test" },
  { names: ["iputils-ping"], why: "sends packets in tests" },
  { names: ["iptables"], why: "makes the firewall rules of a test" },
  { names: ["tcpdump"], why: "says in tests which packets a filter must match" },
  { names: ["bpftool", "linux-tools-common"], why: "shows in tests what is left in the kernel" },
  { names: ["util-linux"], why: "drops rights and makes mount namespaces in tests" },
  { names: ["openssl"], why: "makes the certificates of a test" },
  { names: ["nginx-light", "nginx"], why: "is a proxy in a test (its own service, where apt starts one, is not used)" },
  { names: ["curl"], why: "is a client in a test" },
];

/** Go comes with pip when the one that is installed is too old: Debian 12's is. @type {readonly Need[]} */
export const backendNeeds = [
  { names: ["python3-pip"], why: "fetches Go, which builds Jaeger and the Collector" },
  { names: ["util-linux"], why: "shows Prometheus its page's files" },
  { names: ["ca-certificates"], why: "lets Go and pip check who they talk to" },
];

/** @type {readonly Need[]} */
export const clusterNeeds = [
  { names: ["python3-pip"], why: "fetches Go, which builds Kubernetes" },
  { names: ["debootstrap"], why: "makes the image that the agent's is built from" },
  { names: ["buildah"], why: "builds the agent's image" },
  { names: ["zstd"], why: "keeps that image small" },
  { names: ["busybox-static"], why: "is what the pods of the tests run" },
  { names: ["curl"], why: "asks the agent for its metrics over TLS" },
  { names: ["ca-certificates"], why: "lets Go and pip check who they talk to" },
];

/** Oldest and newest clang that are looked for, as in bpf/Makefile, and the one that is installed where it can be had. */
export const clangVersions = { oldest: 15, newest: 25, preferred: 19 };

/** The formatters of different versions disagree: this one decides where it can be had. */
export const clangFormatVersion = 19;
