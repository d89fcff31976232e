/** A port of this machine's loopback address that leads to one of the guest. */
export interface ForwardedPort {
  readonly host: number;
  readonly guest: number;
}

export interface QemuOptions {
  readonly image: string;
  readonly initramfs: string;
  /** Gets the kernel's messages. */
  readonly consoleLog: string;
  /** The folder that the guest mounts as "results". */
  readonly results: string;
  readonly ports: readonly ForwardedPort[];
  readonly memoryMiB: number;
  readonly isInteractive: boolean;
  readonly countsInstructions: boolean;
}

const KERNEL_ARGUMENTS = [
  "console=ttyS0 loglevel=5 panic=-1 net.ifnames=0 random.trust_cpu=on",
  // A guest is slower than a kernel thinks a machine can be, and needs no protection from itself.
  "nowatchdog rcupdate.rcu_cpu_stall_suppress=1 mitigations=off no_timer_check",
].join(" ");

/**
 * One thread for both processors: on machines with few cores faster than a thread for each, which moreover runs into
 * isEmulatorFault() (find-kernel-failure.ts). On a machine that can virtualise: kvm.
 */
const ACCELERATOR = "tcg,thread=single";

/**
 * One processor whose clock advances by a nanosecond an instruction: what a piece of code costs is the same in every run,
 * whatever else this machine does. Idle time passes at once.
 */
const INSTRUCTION_CLOCK = ["-smp", "1", "-icount", "shift=0,sleep=off"];

/** The command line: a machine in software that has nothing but what a guest uses. */
export function qemuArguments(options: QemuOptions): string[] {
  const { countsInstructions } = options;
  const accelerator = (!countsInstructions && process.env["SKBSPAN_GUEST_ACCELERATOR"]) || ACCELERATOR;
  return [
    "qemu-system-x86_64",
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-accel", accelerator, "-cpu", "max", "-m", String(options.memoryMiB)],
    ...(countsInstructions ? INSTRUCTION_CLOCK : ["-smp", "2"]),
    ...["-kernel", options.image, "-initrd", options.initramfs, "-append", KERNEL_ARGUMENTS],
    ...["-serial", `file:${options.consoleLog}`],
    ...["-chardev", `stdio,id=terminal,signal=${options.isInteractive ? "off" : "on"}`, "-serial", "chardev:terminal"],
    ...["-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"],
    ...["-virtfs", `local,path=${options.results},mount_tag=results,security_model=none`],
    ...networkArguments(options.ports),
  ];
}

/** Restricted: the guest reaches nothing, and is reached only through these ports. */
function networkArguments(ports: readonly ForwardedPort[]): string[] {
  if (ports.length === 0) return ["-nic", "none"];
  const forwards = ports.map(({ host, guest }) => `,hostfwd=tcp:127.0.0.1:${host}-:${guest}`);
  return ["-nic", `user,model=virtio-net-pci,restrict=on${forwards.join("")}`];
}
