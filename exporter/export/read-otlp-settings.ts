import { resolve } from "node:path";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { checkCertificateFiles } from "./check-certificate-files.js";

export type OtlpProtocol = "grpc" | "http/protobuf";

/** What OpenTelemetry's variables say about the way to the receiver, checked. */
export interface OtlpSettings {
  readonly protocol: OtlpProtocol;
  /** For the official packages. Undefined: they take their default. */
  readonly url: string | undefined;
  /** Where the endpoint was set and to what, for messages. */
  readonly endpoint: OtlpVariable | undefined;
  readonly usesTls: boolean;
  readonly certificateFiles: CertificateFiles;
}

export interface OtlpVariable {
  readonly name: string;
  readonly value: string;
}

export interface CertificateFiles {
  /** Who may have signed the receiver's certificate. */
  readonly authorities: OtlpVariable | undefined;
  readonly clientCertificate: OtlpVariable | undefined;
  readonly clientKey: OtlpVariable | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "OTEL_EXPORTER_OTLP_";

/** Throws UserError: the official packages take a default without a word where a setting cannot be read. */
export function readOtlpSettings(url?: string, environment: Environment = process.env): OtlpSettings {
  const read = (suffix: string): OtlpVariable | undefined => readVariable(environment, suffix);
  // Whoever names a URL in code means gRPC there, whatever the user's own backend speaks.
  const protocol = url === undefined ? readProtocol(read("PROTOCOL")) : "grpc";
  const variable = url === undefined ? read("ENDPOINT") : undefined;
  const text = url ?? variable?.value;
  const certificateFiles = {
    authorities: read("CERTIFICATE"),
    clientCertificate: read("CLIENT_CERTIFICATE"),
    clientKey: read("CLIENT_KEY"),
  };
  const scheme = text === undefined ? "http" : readScheme(text, variable, protocol);
  const isInsecure = read("INSECURE")?.value.toLowerCase();
  const usesTls =
    scheme === "https" ||
    (scheme === undefined && isInsecure !== "true") ||
    // Nobody encrypts on a socket of their own machine unless they say so; the official exporter does.
    (scheme === "unix" && (isInsecure === "false" || certificateFiles.authorities !== undefined));
  if (usesTls) checkCertificateFiles(certificateFiles);
  const isSocket = text !== undefined && scheme === "unix";
  return {
    protocol,
    // The official exporter takes `unix:/path` for a host that is called unix.
    url: isSocket ? `unix://${resolve(text.replace(/^unix:(\/\/)?/, ""))}` : url,
    endpoint: variable,
    usesTls,
    certificateFiles,
  };
}

/** That of traces comes before that of all signals; an empty one is as none. */
function readVariable(environment: Environment, suffix: string): OtlpVariable | undefined {
  for (const name of [`${PREFIX}TRACES_${suffix}`, PREFIX + suffix]) {
    const value = environment[name]?.trim();
    if (value) return { name, value };
  }
  return undefined;
}

function readProtocol(variable: OtlpVariable | undefined): OtlpProtocol {
  const value = variable?.value ?? "grpc";
  if (value === "grpc" || value === "http/protobuf") return value;
  const why = value === "http/json" ? "JSON takes several times the processor time and bytes" : "it is not known";
  throw new UserError(exitCode.usage, `Cannot export over OTLP: ${variable?.name} is ${JSON.stringify(value)}.`, {
    hint: `It has to be grpc or http/protobuf; ${why}.`,
  });
}

/** Undefined: there is none, which only gRPC allows. */
function readScheme(
  text: string,
  variable: OtlpVariable | undefined,
  protocol: OtlpProtocol,
): "http" | "https" | "unix" | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):(\/\/|(?=\D))/i.exec(text)?.[1]?.toLowerCase();
  if (protocol === "grpc" && scheme === "unix") return scheme;
  const isKnown = scheme === "http" || scheme === "https" || (scheme === undefined && protocol === "grpc");
  if (isKnown && URL.canParse(scheme === undefined ? `https://${text}` : text)) return scheme;
  const example = protocol === "grpc" ? "http://localhost:4317" : "http://localhost:4318";
  const others = protocol === "grpc" ? ", https://HOST:PORT, unix:///PATH, or HOST:PORT, which means TLS" : "";
  const name = variable?.name ?? "the endpoint";
  throw new UserError(exitCode.usage, `Cannot export over OTLP: ${name} is ${JSON.stringify(text)}.`, {
    hint: `Over ${protocol} it has to be a URL such as ${example}${others}.`,
  });
}
