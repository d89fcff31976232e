import type { OtlpSettings } from "./read-otlp-settings.js";

/** Without what libraries wrap around it; with what the usual failures mean and which setting to look at. */
export function explainSendFailure(message: string, settings: OtlpSettings, hasAnswered: boolean): string {
  const known = hasAnswered ? explanations : [...explanations, closedAtFirst];
  const hint = known.find(([pattern]) => pattern.test(message))?.[1](settings);
  const text = tidy(message);
  return hint === undefined ? text : `${text} (${hint})`;
}

function tidy(message: string): string {
  return message
    .replace(/No connection established\. Last error: (Error( \[\w+\])?: )?/, "")
    .replace(/\.? Resolution note: $/, "")
    .replace(/ ?\(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, "")
    .replace(/[0-9A-F]+:error:[0-9A-F]+:[\w ]+:\w*:([^:]+):[^:]*:\d+:(SSL alert number \d+)?\s*/, "$1")
    .trim();
}

type Explanation = readonly [RegExp, (settings: OtlpSettings) => string | undefined];

const explanations: readonly Explanation[] = [
  [
    /self[- ]signed certificate|unable to get (local )?issuer|unable to verify the first certificate/i,
    ({ certificateFiles: { authorities } }) =>
      authorities
        ? `the receiver's certificate is not signed by what is in ${authorities.value}, which ${authorities.name} names`
        : "the receiver's certificate is not signed by an authority that this system knows: name its authority's file in OTEL_EXPORTER_OTLP_CERTIFICATE",
  ],
  [
    /certificate has expired|certificate is not yet valid/i,
    () => "that is the receiver's certificate, or this machine's clock is wrong",
  ],
  [
    /does not match certificate's altnames/i,
    (settings) => `the receiver's certificate is for another name than that in ${endpointName(settings)}`,
  ],
  [/certificate required|unknown ca|bad certificate/i, explainClientCertificate],
  [/wrong version number|packet length too long|EPROTO/i, explainNoTls],
  [
    /Expected HTTP\/|Parse Error/i,
    () => "something else than HTTP is spoken there: gRPC has port 4317, HTTP 4318; see OTEL_EXPORTER_OTLP_PROTOCOL",
  ],
  [
    /Last error: Protocol error/i,
    () => "something else than gRPC is spoken there: gRPC has port 4317, HTTP 4318; see OTEL_EXPORTER_OTLP_PROTOCOL",
  ],
  [
    /^(UNAUTHENTICATED|PERMISSION_DENIED)\b|^HTTP 40[13]\b/,
    () => "credentials go into OTEL_EXPORTER_OTLP_HEADERS, as authorization=Bearer%20TOKEN",
  ],
  [
    /^HTTP 404\b/,
    () => "/v1/traces is added to OTEL_EXPORTER_OTLP_ENDPOINT, nothing to OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  ],
  [
    /larger than max|message size|^HTTP 413\b/i,
    () => "requests have up to 1 MiB, one with a very long journey up to 4 MiB: the receiver's limit is lower",
  ],
];

/** A receiver that has answered before is merely gone. */
const closedAtFirst: Explanation = [/Failed to connect|socket hang up|ECONNRESET/i, explainClosed];

function explainClientCertificate({ certificateFiles: { clientCertificate } }: OtlpSettings): string {
  if (clientCertificate)
    return `the receiver does not accept the certificate in ${clientCertificate.value}, which ${clientCertificate.name} names`;
  return "the receiver asks for a client certificate: OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY";
}

function explainNoTls(settings: OtlpSettings): string {
  const { name, value } = settings.endpoint ?? { name: "the endpoint", value: "https://" };
  if (value.includes("://")) return `the receiver does not speak TLS there: ${name} with http:// goes without`;
  return `${name} is "${value}", without a scheme, which means TLS, and the receiver does not speak it: write http://${value}`;
}

/** A receiver that does not like how a connection begins often ends it without a word. */
function explainClosed(settings: OtlpSettings): string {
  if (!settings.usesTls)
    return `the receiver ended the connection; one that wants TLS does that: https:// in ${endpointName(settings)}`;
  const { clientCertificate } = settings.certificateFiles;
  return clientCertificate
    ? `the receiver ended the connection; perhaps it does not accept the certificate in ${clientCertificate.value}, which ${clientCertificate.name} names`
    : "the receiver ended the connection while TLS was agreed on";
}

function endpointName({ endpoint }: OtlpSettings): string {
  return endpoint?.name ?? "the endpoint";
}
