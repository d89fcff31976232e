import { findStaleMarkers, readNamespaceInode, removeMarker } from "./lab-marker.js";
import { requireCommand } from "./run-command.js";

/**
 * Removes the namespaces of labs whose process was killed, and the processes in them. A namespace counts as theirs
 * only if its inode is still the one in the marker. Returns the names of those removed.
 */
export async function removeStaleLabs(): Promise<string[]> {
  const removed: string[] = [];
  for (const { path, namespaces } of findStaleMarkers()) {
    for (const [name, inode] of Object.entries(namespaces)) {
      if (readNamespaceInode(name) !== inode) continue;
      await endProcesses(name);
      await requireCommand(["ip", "netns", "delete", name]);
      removed.push(name);
    }
    removeMarker(path);
  }
  return removed;
}

async function endProcesses(namespace: string): Promise<void> {
  const output = await requireCommand(["ip", "netns", "pids", namespace]);
  for (const pid of output.split(/\s+/).map(Number)) {
    // Never ourselves: someone may have entered the namespace and started a new run there.
    if (pid <= 1 || pid === process.pid) continue;
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // It ended by itself in the meantime.
    }
  }
}
