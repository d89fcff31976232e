import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** For 127.0.0.1 and localhost unless other names are given; `days` may be negative: it has expired. */
  issue(name: string, options?: { readonly names?: string; readonly days?: number }): Certificate;
}

export interface Certificates {
  readonly folder: string;
  createAuthority(name: string): Authority;
  remove(): void;
}

/** Real certificates by openssl, in a folder of their own. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "skbspan-certificates-"));
  return {
    folder,
    createAuthority: (name) => createAuthority(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function createAuthority(folder: string, name: string): Authority {
  const authority = filesOf(folder, name);
  openssl(
    ["req", "-x509", ...newKey, "-keyout", authority.keyFile, "-out", authority.certificateFile],
    ["-subj", `/CN=${name}`, "-days", "2", "-addext", "keyUsage=critical,keyCertSign"],
  );
  const issue: Authority["issue"] = (leafName, { names = "IP:127.0.0.1,DNS:localhost", days = 2 } = {}) => {
    const leaf = filesOf(folder, leafName);
    const requestFile = join(folder, `${leafName}.csr`);
    const extensionFile = join(folder, `${leafName}.ext`);
    writeFileSync(extensionFile, `subjectAltName=${names}\n`);
    openssl(["req", ...newKey, "-keyout", leaf.keyFile, "-out", requestFile, "-subj", `/CN=${leafName}`]);
    openssl(
      ["x509", "-req", "-in", requestFile, "-out", leaf.certificateFile, "-extfile", extensionFile],
      ["-CA", authority.certificateFile, "-CAkey", authority.keyFile, "-CAcreateserial", "-days", String(days)],
    );
    return read(leaf);
  };
  return { ...read(authority), issue };
}

type Files = Pick<Certificate, "certificateFile" | "keyFile">;

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function filesOf(folder: string, name: string): Files {
  return { certificateFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
}

function read(files: Files): Certificate {
  return {
    ...files,
    certificate: readFileSync(files.certificateFile, "utf8"),
    key: readFileSync(files.keyFile, "utf8"),
  };
}

function openssl(...argv: readonly (readonly string[])[]): void {
  execFileSync("openssl", argv.flat(), { stdio: ["ignore", "ignore", "pipe"] });
}
