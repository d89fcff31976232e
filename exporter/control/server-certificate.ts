import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";

export interface CertificateFileNames {
  readonly certificate: string;
  readonly key: string;
}

export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Throws UserError that names the file and what is wrong with it. */
export function readServerCertificate({ certificate, key }: CertificateFileNames): ServerCertificate {
  const read = { cert: readText(certificate), key: readText(key) };
  attempt(certificate, "it has no certificate in PEM", () => new X509Certificate(read.cert));
  attempt(key, "it has no private key in PEM without a passphrase", () => createPrivateKey(read.key));
  attempt(key, `it is not the key of the certificate in ${certificate}`, () => createSecureContext(read));
  return read;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw wrong(file, describeSystemError(error), error);
  }
}

function attempt(file: string, what: string, parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    throw wrong(file, what, error);
  }
}

function wrong(file: string, what: string, cause: unknown): UserError {
  return new UserError(exitCode.usage, `Cannot serve with TLS from ${file}: ${what}.`, {
    hint: "--listen-certificate names the certificate with those above it, --listen-key its private key.",
    cause,
  });
}
