import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../kernels/run-program.js";

export interface FolderImage {
  readonly name: string;
  readonly command: readonly string[];
}

/** An image with busybox alone, as a docker archive in `folder`: the registry that it would come from is not needed. */
export async function makeBusyboxImage({ name, command }: FolderImage, folder: string): Promise<string> {
  const root = join(folder, "root");
  await mkdir(join(root, "bin"), { recursive: true });
  for (const place of ["tmp", "proc", "sys", "dev", "etc"]) await mkdir(join(root, place), { recursive: true });
  await copyFile("/bin/busybox", join(root, "bin/busybox"));
  for (const applet of ["sh", "wget", "httpd", "sleep", "nc", "cat", "mkdir", "echo", "hostname", "true"])
    await symlink("busybox", join(root, "bin", applet)).catch(() => {});
  const layer = join(folder, "layer.tar");
  await runProgram("tar", [
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "-cf",
    layer,
    "-C",
    root,
    ".",
  ]);
  return writeArchive({ name, command }, folder, layer);
}

async function writeArchive({ name, command }: FolderImage, folder: string, layer: string): Promise<string> {
  const digest = createHash("sha256")
    .update(await readFile(layer))
    .digest("hex");
  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: { Env: ["PATH=/bin"], Cmd: command },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    history: [{ created: "1970-01-01T00:00:00Z" }],
  });
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  await writeFile(join(folder, configName), config);
  await writeFile(
    join(folder, "manifest.json"),
    JSON.stringify([{ Config: configName, RepoTags: [name], Layers: ["layer.tar"] }]),
  );
  const archive = join(folder, "image.tar");
  await runProgram("tar", ["-cf", archive, "-C", folder, "manifest.json", configName, "layer.tar"]);
  return archive;
}
