import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findMirrors, type Mirrors } from "./find-mirrors.js";
import type { KernelSeries } from "./kernel-series.js";
import { runProgram } from "./run-program.js";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Downloads the newest Debian kernel of a series and unpacks it below `directory`/root, with apt's state beside it. */
export async function downloadKernel(series: KernelSeries, directory: string): Promise<void> {
  const apt = await setUpApt(series, await findMirrors(), join(directory, "apt"));
  await apt("apt-get", "update");
  const pattern = `^linux-(image|binary|binary-unsigned|modules|base)-${series.name.replace(".", "\\.")}[.+-]`;
  const lines = (await apt("apt-cache", "search", "--names-only", pattern)).split("\n");
  const packages = choosePackages(lines.map((line) => line.split(" ")[0] ?? ""));
  if (packages.length === 0) throw new Error(`There is no kernel ${series.name} in ${series.suites.join(", ")}.`);
  const folder = join(directory, "packages");
  await mkdir(folder);
  await apt("apt-get", { cwd: folder }, "download", ...packages);
  for (const file of await readdir(folder))
    await runProgram("dpkg", ["-x", join(folder, file), join(directory, "root")]);
}

/**
 * The packages of the newest kernel: one that holds it all, or, since 7.0, one with the image and one with the modules.
 * The plain flavour: neither cloud nor rt, nor debug symbols.
 */
export function choosePackages(names: readonly string[]): string[] {
  const newest = (kind: string) => {
    const pattern = new RegExp(`^linux-${kind}-(\\d[\\d.]*(?:\\+deb\\d+)?(?:-\\d+)?-amd64)$`);
    return names
      .flatMap((name) => pattern.exec(name)?.[1] ?? [])
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
      .at(-1);
  };
  const modules = newest("modules");
  if (modules !== undefined) {
    const image = [`linux-binary-${modules}`, `linux-binary-unsigned-${modules}`].find((name) => names.includes(name));
    if (image === undefined) return [];
    // The list of what is built in.
    const base = [`linux-base-${modules}`].filter((name) => names.includes(name));
    return [image, `linux-modules-${modules}`, ...base];
  }
  const image = newest("image");
  return image === undefined ? [] : [`linux-image-${image}`];
}

type Apt = (program: string, ...args: (string | { readonly cwd: string })[]) => Promise<string>;

/** An apt of its own: the machine's sources, lists and cache are only read. */
async function setUpApt(series: KernelSeries, mirrors: Mirrors, directory: string): Promise<Apt> {
  const lines = series.suites.flatMap((suite) => {
    const mirror = suite.endsWith("-security") ? mirrors.security : mirrors.main;
    return mirror === undefined ? [] : [`deb [arch=amd64 signed-by=${KEYRING}] ${mirror} ${suite} main\n`];
  });
  await mkdir(join(directory, "lists/partial"), { recursive: true });
  await mkdir(join(directory, "cache/archives/partial"), { recursive: true });
  await writeFile(join(directory, "sources.list"), lines.join(""));
  await copyFile("/dev/null", join(directory, "status"));
  const settings = [
    `Dir::Etc::sourcelist=${join(directory, "sources.list")}`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${join(directory, "lists")}`,
    `Dir::State::status=${join(directory, "status")}`,
    `Dir::Cache=${join(directory, "cache")}`,
    "APT::Architecture=amd64",
    "APT::Sandbox::User=root", // the user _apt may not write below a home
    "Acquire::Languages=none",
    "Acquire::Retries=3",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
    "APT::Update::Error-Mode=any",
  ];
  return (program, ...args) => {
    const words = args.filter((arg) => typeof arg === "string");
    const options = args.find((arg) => typeof arg !== "string");
    return runProgram(program, [...settings.flatMap((setting) => ["-o", setting]), "-q", ...words], options);
  };
}
