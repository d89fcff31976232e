import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where a machine's apt gets Debian's packages, without a slash at the end. */
export interface Mirrors {
  readonly main: string;
  readonly security: string | undefined;
}

interface Source {
  readonly uri: string;
  readonly suite: string;
}

const APT_FOLDER = "/etc/apt";
const VARIABLE = "SKBSPAN_DEBIAN_MIRROR";

/**
 * The variable wins; then what this machine's own apt is configured with. Throws when there is neither: on Ubuntu, say,
 * whose mirrors do not have Debian's kernels.
 */
export async function findMirrors(folder = APT_FOLDER, environment = process.env): Promise<Mirrors> {
  const chosen = environment[VARIABLE]?.replace(/\/+$/, "");
  if (chosen) return { main: chosen, security: environment["SKBSPAN_DEBIAN_SECURITY_MIRROR"]?.replace(/\/+$/, "") };
  const sources = await readSources(folder);
  const security = sources.find(({ uri }) => /\/debian-security$/.test(uri))?.uri;
  const main = sources.find(({ uri, suite }) => /\/debian$/.test(uri) && !suite.includes("security"))?.uri;
  if (main) return { main, security };
  throw new Error(
    `Guest kernels are Debian's, and this machine's apt (${folder}) names no Debian mirror. ` +
      `Set ${VARIABLE} to the address of one: http://HOST/debian.`,
  );
}

async function readSources(folder: string): Promise<Source[]> {
  const parts = await readdir(join(folder, "sources.list.d")).catch(() => []);
  const files = ["sources.list", ...parts.sort().map((name) => join("sources.list.d", name))];
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), "utf8").catch(() => "");
      if (file.endsWith(".sources")) return parseDeb822(text);
      return file.endsWith(".list") ? parseLines(text) : [];
    }),
  );
  return found.flat();
}

/** `deb [options] URI SUITE COMPONENT...` */
export function parseLines(text: string): Source[] {
  return [...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm)].flatMap(([, uri = "", suite = ""]) =>
    toSources([uri], [suite]),
  );
}

/** Paragraphs of `Key: value`, where a line that begins with a space goes on. */
export function parseDeb822(text: string): Source[] {
  const paragraphs = text.replace(/^#.*\n/gm, "").split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => {
    const fields = new Map<string, string[]>();
    for (const [, key = "", value = ""] of paragraph.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm))
      fields.set(key.toLowerCase(), value.trim().split(/\s+/));
    const isOff = fields.get("enabled")?.[0] === "no" || !fields.get("types")?.includes("deb");
    return isOff ? [] : toSources(fields.get("uris") ?? [], fields.get("suites") ?? []);
  });
}

function toSources(uris: readonly string[], suites: readonly string[]): Source[] {
  return uris.flatMap((uri) => suites.map((suite) => ({ uri: uri.replace(/\/+$/, ""), suite })));
}
