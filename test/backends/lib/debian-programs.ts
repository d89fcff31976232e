import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../kernels/run-program.js";
import { fromProgramCache, inTemporaryFolder } from "./program-cache.js";

/** Prometheus and Alertmanager, and the libraries of Prometheus' page. */
const PACKAGES = [
  ...["prometheus", "prometheus-alertmanager", "fonts-glyphicons-halflings"],
  ...[
    "libjs-bootstrap4",
    "libjs-d3",
    "libjs-eonasdan-bootstrap-datetimepicker",
    "libjs-jquery",
    "libjs-jquery-hotkeys",
  ],
  ...["libjs-moment", "libjs-moment-timezone", "libjs-mustache", "libjs-popper.js", "libjs-rickshaw"],
];

/**
 * A tree with Debian's packages unpacked into it. They are not installed: that would start both as services, now and whenever
 * the machine boots.
 */
export function unpackDebianPrograms(onProgress: (text: string) => void = () => {}): Promise<string> {
  const programs = ["prometheus", "promtool", "prometheus-alertmanager", "amtool"].map((name) => `usr/bin/${name}`);
  return unpackDebianPackages({ name: "prometheus", packages: PACKAGES, programs, onProgress });
}

export interface DebianPackages {
  /** Of the folder in the cache. */
  readonly name: string;
  readonly packages: readonly string[];
  /** What has to be there afterwards. */
  readonly programs: readonly string[];
  readonly onProgress: (text: string) => void;
}

/** Packages of this machine's distribution, unpacked into a tree in the cache without being installed. */
export function unpackDebianPackages({ name, packages, programs, onProgress }: DebianPackages): Promise<string> {
  return fromProgramCache(`debian-${name}-${process.arch}`, async (result) => {
    onProgress(`fetching ${packages.slice(0, 3).join(", ")} ... with apt-get (they are not installed) ...`);
    await inTemporaryFolder(async (folder) => {
      await download(folder, packages);
      for (const file of await readdir(folder)) await runProgram("dpkg", ["-x", join(folder, file), result]);
    });
    for (const program of programs) await access(join(result, program));
  });
}

/**
 * The command line that runs a program with Debian's files at /usr/share, where it looks for its page and its templates: they are
 * laid over it in a mount namespace of the program's own, and in a user namespace for who is not root.
 */
export function withDebianShare(tree: string, argv: readonly string[]): string[] {
  const script = 'mount -t overlay skbspan -o "lowerdir=$0:/usr/share" /usr/share && exec "$@"';
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  return ["unshare", "--mount", ...user, "sh", "-c", script, join(tree, "usr/share"), ...argv];
}

async function download(folder: string, packages: readonly string[]): Promise<void> {
  // "root": apt's own user may not write below a home.
  const args = ["-q", "-o", "APT::Sandbox::User=root", "download", ...packages];
  const attempt = () => runProgram("apt-get", args, { cwd: folder });
  try {
    await attempt();
  } catch {
    // The lists are old, or were never fetched.
    await runProgram("apt-get", ["-q", "update"]);
    await attempt();
  }
}
