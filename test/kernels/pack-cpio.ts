/** A file of an initramfs; a directory when it has no content. */
export interface ArchiveEntry {
  /** Without a slash at the start. */
  readonly path: string;
  readonly content?: Uint8Array;
}

const FILE_MODE = 0o100755;
const DIRECTORY_MODE = 0o040755;
const MAGIC_NEWC = "070701";

/** Packs an initramfs in the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst). */
export function packCpio(entries: readonly ArchiveEntry[]): Buffer {
  const records = entries.map(({ path, content }, index) =>
    packRecord(path, content ? FILE_MODE : DIRECTORY_MODE, index + 1, content ?? new Uint8Array()),
  );
  return Buffer.concat([...records, packRecord("TRAILER!!!", 0, 0, new Uint8Array())]);
}

function packRecord(path: string, mode: number, inode: number, content: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`);
  const [userId, groupId, links, modified, device, checksum] = [0, 0, 1, 0, 0, 0];
  const numbers = [inode, mode, userId, groupId, links, modified, content.length, device, device, device, device];
  const header = [...numbers, name.length, checksum].map((value) => value.toString(16).padStart(8, "0")).join("");
  return Buffer.concat([pad(Buffer.concat([Buffer.from(MAGIC_NEWC + header), name])), pad(Buffer.from(content))]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
