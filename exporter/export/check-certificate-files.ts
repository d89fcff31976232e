import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { CertificateFiles, OtlpVariable } from "./read-otlp-settings.js";

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Throws UserError that names the file and what is wrong with it. The official packages go on without a file that they
 * cannot read, and the receiver's refusal does not say why.
 */
export function checkCertificateFiles({ authorities, clientCertificate, clientKey }: CertificateFiles): void {
  if (authorities) readCertificates(authorities);
  const [certificate] = clientCertificate ? readCertificates(clientCertificate) : [];
  const key = clientKey ? readKey(clientKey) : undefined;
  if (clientCertificate && !clientKey) throw missing(clientCertificate, "CLIENT_KEY");
  if (clientKey && !clientCertificate) throw missing(clientKey, "CLIENT_CERTIFICATE");
  if (certificate && key && clientCertificate && clientKey && !certificate.checkPrivateKey(key))
    throw wrong(clientKey, `it is not the key of the certificate in ${clientCertificate.value}`);
}

function readCertificates(variable: OtlpVariable): X509Certificate[] {
  const texts = readText(variable).match(PEM_CERTIFICATE) ?? [];
  if (texts.length === 0) throw wrong(variable, "it has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  try {
    return texts.map((text) => new X509Certificate(text));
  } catch (error) {
    throw wrong(variable, `its certificate cannot be read: ${describeSystemError(error)}`);
  }
}

function readKey(variable: OtlpVariable): KeyObject {
  const text = readText(variable);
  if (text.includes("ENCRYPTED")) throw wrong(variable, "the key is encrypted; it has to be without a passphrase");
  try {
    return createPrivateKey(text);
  } catch {
    throw wrong(variable, "it has no private key in PEM (-----BEGIN PRIVATE KEY-----)");
  }
}

function readText(variable: OtlpVariable): string {
  try {
    return readFileSync(variable.value, "utf8");
  } catch (error) {
    throw wrong(variable, describeSystemError(error));
  }
}

function missing({ name, value }: OtlpVariable, other: string): UserError {
  const otherName = name.replace(/CLIENT_.*/, other);
  return new UserError(exitCode.usage, `Cannot export over OTLP: ${name} is ${value}, but ${otherName} is not set.`, {
    hint: "A client certificate and its private key go together; set both or neither.",
  });
}

function wrong({ name, value }: OtlpVariable, what: string): UserError {
  return new UserError(exitCode.usage, `Cannot export over OTLP: ${name} is ${value}: ${what}.`, {
    hint: `Name a file that is right, or unset ${name}.`,
  });
}
