import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { assertAccountedFor, lossesOf, until } from "../lib/account-for.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { tcpAcrossNode } from "../lib/example-recordings.js";
import { type Certificate, makeCertificates } from "../lib/make-certificates.js";
import { numberJourneys } from "../lib/number-journeys.js";
import { openOtlpSink } from "../lib/open-otlp-sink.js";
import { type OtlpServer, startOtlpServer } from "../lib/start-otlp-server.js";

/** TLS and its mistakes, with real certificates: a message says which file or variable, and nothing goes silently. */

const certificates = makeCertificates();
after(() => certificates.remove());
const authority = certificates.createAuthority("authority");
const stranger = certificates.createAuthority("stranger");
const server = authority.issue("server");
const client = authority.issue("client");
const foreign = stranger.issue("foreign");

const made = numberJourneys(collectJourneys(tcpAcrossNode())[0] as JourneySpans, 20);
const trusted = { CERTIFICATE: authority.certificateFile };

type Protocol = "grpc" | "http";
type Variables = Readonly<Record<string, string>>;

function clientFiles({ certificateFile, keyFile }: Certificate): Variables {
  return { CLIENT_CERTIFICATE: certificateFile, CLIENT_KEY: keyFile };
}

function startTlsServer(context: TestContext, protocol: Protocol, pair: Certificate, clientAuthority?: Certificate) {
  const { certificate, key } = pair;
  const wanted = clientAuthority === undefined ? {} : { clientAuthority: clientAuthority.certificate };
  return startOtlpServer(context, { protocol, tls: { certificate, key, ...wanted } });
}

async function assertArrives(
  context: TestContext,
  {
    url,
    protocol,
    receiver,
    variables,
  }: { url: string; protocol: Protocol; receiver: OtlpServer; variables: Variables },
): Promise<void> {
  const { sink } = openOtlpSink(context, url, { protocol, variables });
  for (const journey of made) sink.accept(journey);
  await sink.close();
  assertAccountedFor(sink, made, [receiver]);
  assert.deepEqual(lossesOf(sink), {});
}

/** What the user is told while nothing gets through, after which all is lost by count. */
async function messageFor(
  context: TestContext,
  {
    url,
    protocol,
    receiver,
    variables,
  }: { url: string; protocol: Protocol; receiver: OtlpServer; variables: Variables },
): Promise<string> {
  const { sink, messages } = openOtlpSink(context, url, { protocol, variables, flushTimeoutMs: 100 });
  for (const journey of made) sink.accept(journey);
  await until("a message", () => messages.length > 0);
  await sink.close();
  assertAccountedFor(sink, made, [receiver]);
  assert.deepEqual(lossesOf(sink), { closed: made.length });
  return messages[0] ?? "";
}

for (const protocol of ["grpc", "http"] as const) {
  test(`${protocol}: TLS, with an authority of one's own`, async (context) => {
    const receiver = await startTlsServer(context, protocol, server);
    await assertArrives(context, { url: receiver.url, protocol, receiver, variables: trusted });
  });

  test(`${protocol}: mutual TLS`, async (context) => {
    const receiver = await startTlsServer(context, protocol, server, authority);
    const variables = { ...trusted, ...clientFiles(client) };
    await assertArrives(context, { url: receiver.url, protocol, receiver, variables });
  });

  test(`${protocol}: an authority that did not sign the receiver's certificate`, async (context) => {
    const receiver = await startTlsServer(context, protocol, server);
    const variables = { CERTIFICATE: stranger.certificateFile };
    const message = await messageFor(context, { url: receiver.url, protocol, receiver, variables });
    assert.match(message, /not signed by what is in .*stranger\.crt, which OTEL_EXPORTER_OTLP_CERTIFICATE names/);
  });

  test(`${protocol}: no authority given`, async (context) => {
    const receiver = await startTlsServer(context, protocol, server);
    const message = await messageFor(context, { url: receiver.url, protocol, receiver, variables: {} });
    assert.match(message, /an authority that this system knows: name its .* file in OTEL_EXPORTER_OTLP_CERTIFICATE/);
  });

  test(`${protocol}: a receiver's certificate that has expired, or is for another name`, async (context) => {
    const expired = await startTlsServer(context, protocol, authority.issue(`expired-${protocol}`, { days: -1 }));
    assert.match(
      await messageFor(context, { url: expired.url, protocol, receiver: expired, variables: trusted }),
      /certificate has expired \(that is the receiver's certificate, or this machine's clock is wrong\)/,
    );
    const elsewhere = authority.issue(`elsewhere-${protocol}`, { names: "DNS:elsewhere.test" });
    const receiver = await startTlsServer(context, protocol, elsewhere);
    assert.match(
      await messageFor(context, { url: receiver.url, protocol, receiver, variables: trusted }),
      /certificate is for another name than that in OTEL_EXPORTER_OTLP_ENDPOINT/,
    );
  });

  test(`${protocol}: a receiver that wants a certificate, and gets none or one that it does not trust`, async (context) => {
    const receiver = await startTlsServer(context, protocol, server, authority);
    const none = await messageFor(context, { url: receiver.url, protocol, receiver, variables: trusted });
    assert.match(none, /(asks for a client certificate: OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE|ended the connection)/);
    const variables = { ...trusted, ...clientFiles(foreign) };
    const wrong = await messageFor(context, { url: receiver.url, protocol, receiver, variables });
    assert.match(wrong, /accept the certificate in .*foreign\.crt, which OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE names/);
  });

  test(`${protocol}: TLS where none is spoken, and the other way round`, async (context) => {
    const plain = await startOtlpServer(context, { protocol });
    const url = plain.url.replace("http:", "https:");
    assert.match(
      await messageFor(context, { url, protocol, receiver: plain, variables: trusted }),
      /does not speak TLS there: OTEL_EXPORTER_OTLP_ENDPOINT with http:\/\/ goes without/,
    );
    const tls = await startTlsServer(context, protocol, server);
    assert.match(
      await messageFor(context, { url: tls.url.replace("https:", "http:"), protocol, receiver: tls, variables: {} }),
      /one that wants TLS does that: https:\/\/ in OTEL_EXPORTER_OTLP_ENDPOINT/,
    );
  });

  test(`${protocol}: sent to a receiver of the other protocol`, async (context) => {
    const receiver = await startOtlpServer(context, { protocol: protocol === "grpc" ? "http" : "grpc" });
    const message = await messageFor(context, { url: receiver.url, protocol, receiver, variables: {} });
    assert.match(message, /something else than (gRPC|HTTP) is spoken there: .*OTEL_EXPORTER_OTLP_PROTOCOL/);
  });
}

test("grpc: an endpoint without a scheme means TLS, unless OTEL_EXPORTER_OTLP_INSECURE says otherwise", async (context) => {
  const tls = await startTlsServer(context, "grpc", server);
  const plain = await startOtlpServer(context);
  const isInsecure = { INSECURE: "true" };
  const protocol = "grpc";
  await assertArrives(context, { url: `127.0.0.1:${tls.port}`, protocol, receiver: tls, variables: trusted });
  await assertArrives(context, { url: `127.0.0.1:${plain.port}`, protocol, receiver: plain, variables: isInsecure });
  for (const host of ["127.0.0.1", "localhost"]) {
    const other = await startOtlpServer(context);
    const url = `${host}:${other.port}`;
    const message = await messageFor(context, { url, protocol, receiver: other, variables: {} });
    assert.match(message, new RegExp(`"${url}", without a scheme, which means TLS, .*: write http://${url}\\)`));
  }
});

test("grpc: a socket of this machine, without TLS", async (context) => {
  const path = `${certificates.folder}/otlp.sock`;
  const receiver = await startOtlpServer(context, { host: `unix:${path}` });
  for (const url of [`unix://${path}`, `unix:${path}`]) {
    const { sink } = openOtlpSink(context, url);
    const before = receiver.requests.length;
    for (const journey of made) sink.accept(journey);
    await sink.close();
    assertAccountedFor(sink, made, [receiver]);
    assert.deepEqual(lossesOf(sink), {});
    assert.ok(receiver.requests.length > before, url);
  }
});
