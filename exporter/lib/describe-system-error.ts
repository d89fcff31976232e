const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  EEXIST: "it exists already",
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is as large as it may be",
  EROFS: "the file system is read-only",
  EMFILE: "too many files are open",
  EIO: "the device reports an error",
  EADDRINUSE: "another program listens there already",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "the name is not known",
  ECONNREFUSED: "nothing listens there",
};

/** The system's error codes in words; what has none is given as it is. */
export function describeSystemError(error: unknown): string {
  const code = systemErrorCode(error);
  const words = code === undefined ? undefined : reasons[code];
  if (words !== undefined) return words;
  return error instanceof Error ? error.message : String(error);
}

export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
