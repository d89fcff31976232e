import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/*
 * A marker file says which namespaces a running lab made, so that a later run can tell what a dead one left behind
 * from namespaces that happen to have the same name.
 */

export interface LabMarker {
  readonly path: string;
  readonly owner: { readonly pid: number; readonly startTicks: string };
  /** Name to inode. */
  readonly namespaces: Readonly<Record<string, number>>;
}

const MARKER_FOLDER = "/run/skbspan";
export const NETNS_FOLDER = "/run/netns";

export function writeMarker(lab: string, namespaces: ReadonlyMap<string, number>): string {
  mkdirSync(MARKER_FOLDER, { recursive: true, mode: 0o755 });
  const path = join(MARKER_FOLDER, `lab-${lab}.json`);
  const owner = { pid: process.pid, startTicks: readStartTicks(process.pid) };
  writeFileSync(path, `${JSON.stringify({ owner, namespaces: Object.fromEntries(namespaces) })}\n`);
  return path;
}

export function removeMarker(path: string): void {
  rmSync(path, { force: true });
}

/** Markers of labs whose process is gone. */
export function findStaleMarkers(): LabMarker[] {
  return readMarkers().filter(({ owner }) => readStartTicks(owner.pid) !== owner.startTicks);
}

/** 0 when there is no namespace of that name. */
export function readNamespaceInode(name: string): number {
  return statSync(join(NETNS_FOLDER, name), { throwIfNoEntry: false })?.ino ?? 0;
}

function readMarkers(): LabMarker[] {
  const names = readFolder(MARKER_FOLDER).filter((name) => /^lab-.*\.json$/.test(name));
  return names.flatMap((name) => {
    const path = join(MARKER_FOLDER, name);
    try {
      return [{ ...(JSON.parse(readFileSync(path, "utf8")) as Omit<LabMarker, "path">), path }];
    } catch {
      return []; // being written or removed right now, or not one of ours
    }
  });
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** A pid is used again; with its start time it is unique. Empty when the process is gone. */
function readStartTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces; field 22 is the 20th after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
