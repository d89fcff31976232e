/** A series of kernels that guests run, and the Debian suites that have it. */
export interface KernelSeries {
  readonly name: string;
  readonly suites: readonly string[];
}

/** All of them boot; the tests run the first three. */
export const kernelSeries = [
  { name: "6.1", suites: ["bookworm", "bookworm-security"] },
  { name: "6.12", suites: ["trixie", "trixie-security"] },
  { name: "7.3", suites: ["trixie-backports"] },
  { name: "6.18", suites: ["trixie-backports"] },
  { name: "5.10", suites: ["bullseye", "bullseye-security"] },
] as const satisfies readonly KernelSeries[];

export type KernelName = (typeof kernelSeries)[number]["name"];

/** Throws when there is no such series. */
export function findKernelSeries(name: string): KernelSeries {
  const found = kernelSeries.find((series) => series.name === name);
  if (found) return found;
  const names = kernelSeries.map((series) => series.name).join(", ");
  throw new Error(`There is no guest kernel "${name}"; there are: ${names}. test/kernels/kernel-series.ts lists them.`);
}
