/** Lines of a kernel's log that say that it is not well. A slow host is not the kernel's fault: no lockups or stalls. */
const FAILURES = /Kernel panic|Oops[: ]|kernel BUG at|BUG: (?!soft lockup|workqueue lockup)|general protection fault/;
const GUEST_FAILURES = /skbspan-guest: .*/;

/** Gives the first line of the console log that says so; undefined when there is none. */
export function findKernelFailure(consoleLog: string): string | undefined {
  const lines = consoleLog.split("\n").map((line) => line.trim());
  return lines.find((line) => FAILURES.test(line)) ?? GUEST_FAILURES.exec(consoleLog)?.[0].trim();
}

/**
 * The kernel replaces its own instructions while they may run, with a breakpoint (int3) in between. qemu's emulation of
 * several processors (seen with 7.2, in one boot of thirty) can run that breakpoint after it is gone; a processor cannot.
 */
export function isEmulatorFault(failure: string): boolean {
  return failure.includes("Oops: int3");
}
