import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificates } from "../../test/lib/make-certificates.js";
import { UserError } from "../lib/user-error.js";
import { readOtlpSettings } from "./read-otlp-settings.js";

const certificates = makeCertificates();
after(() => certificates.remove());

type Variables = Readonly<Record<string, string>>;

function settingsOf(variables: Variables) {
  const entries = Object.entries(variables).map(([name, value]) => [`OTEL_EXPORTER_OTLP_${name}`, value]);
  return readOtlpSettings(undefined, Object.fromEntries(entries));
}

function mistakeIn(variables: Variables): string {
  try {
    settingsOf(variables);
  } catch (error) {
    assert.ok(error instanceof UserError);
    return `${error.message}\n${error.hint}`;
  }
  return assert.fail(`${JSON.stringify(variables)} was accepted`);
}

test("gRPC unless HTTP is asked for; what is said for traces comes first", () => {
  assert.equal(settingsOf({}).protocol, "grpc");
  assert.equal(settingsOf({ PROTOCOL: " http/protobuf " }).protocol, "http/protobuf");
  assert.equal(settingsOf({ PROTOCOL: "http/protobuf", TRACES_PROTOCOL: "grpc" }).protocol, "grpc");
  assert.equal(settingsOf({ PROTOCOL: "grpc", TRACES_PROTOCOL: "" }).protocol, "grpc");
  assert.deepEqual(settingsOf({ ENDPOINT: "http://a:1", TRACES_ENDPOINT: "http://b:2" }).endpoint, {
    name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    value: "http://b:2",
  });
});

test("a URL that is given in code is for gRPC, whatever the variables say", () => {
  const environment = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_ENDPOINT: "https://c:4318" };
  const { protocol, url, usesTls } = readOtlpSettings("http://127.0.0.1:4317", environment);
  assert.deepEqual({ protocol, url, usesTls }, { protocol: "grpc", url: "http://127.0.0.1:4317", usesTls: false });
});

test("JSON and what is not known are refused, with what to write", () => {
  assert.match(mistakeIn({ PROTOCOL: "http/json" }), /PROTOCOL is "http\/json".\nIt has to be grpc or http\/protobuf/);
  assert.match(mistakeIn({ TRACES_PROTOCOL: "udp" }), /TRACES_PROTOCOL is "udp".\nIt has to be grpc or http\/protobuf/);
});

test("whether TLS is used follows the scheme, then OTEL_EXPORTER_OTLP_INSECURE", () => {
  const isTls = (variables: Variables): boolean => settingsOf(variables).usesTls;
  assert.equal(isTls({}), false);
  assert.equal(isTls({ ENDPOINT: "http://c:4317", INSECURE: "false" }), false);
  assert.equal(isTls({ ENDPOINT: "https://c:4317", INSECURE: "true" }), true);
  assert.equal(isTls({ ENDPOINT: "c:4317" }), true);
  assert.equal(isTls({ ENDPOINT: "c:4317", INSECURE: "True" }), false);
  assert.equal(isTls({ ENDPOINT: "unix:///run/c.sock" }), false);
  assert.equal(isTls({ ENDPOINT: "unix:///run/c.sock", INSECURE: "false" }), true);
});

test("sockets of this machine can be written in gRPC's ways", () => {
  assert.equal(settingsOf({ ENDPOINT: "unix:///run/c.sock" }).url, "unix:///run/c.sock");
  assert.equal(settingsOf({ ENDPOINT: "unix:/run/c.sock" }).url, "unix:///run/c.sock");
  assert.equal(settingsOf({ ENDPOINT: "unix:c.sock" }).url, `unix://${join(process.cwd(), "c.sock")}`);
});

test("an endpoint that cannot be is refused, with its variable, the rule and the value", () => {
  for (const value of ["not a url", "dns:///c:4317", "ftp://c", "http://", "c:port"])
    assert.match(mistakeIn({ ENDPOINT: value }), /OTEL_EXPORTER_OTLP_ENDPOINT is ".*"\.\nOver grpc it has to be a URL/);
  for (const value of ["c:4318", "localhost:4318", "127.0.0.1:4318", "unix:///run/c.sock"])
    assert.match(
      mistakeIn({ ENDPOINT: value, PROTOCOL: "http/protobuf" }),
      /is ".*"\.\nOver http\/protobuf it has to be a URL such as http:\/\/localhost:4318/,
    );
});

test("a certificate file that cannot be used is named, with what is wrong with it", () => {
  const authority = certificates.createAuthority("ca");
  const client = authority.issue("client");
  const other = authority.issue("other");
  const garbage = join(certificates.folder, "garbage.pem");
  writeFileSync(garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const tls = (files: Variables): Variables => ({ ENDPOINT: "https://c:4317", ...files });
  const pair = { CLIENT_CERTIFICATE: client.certificateFile, CLIENT_KEY: client.keyFile };
  assert.ok(settingsOf(tls({ CERTIFICATE: authority.certificateFile, ...pair })).usesTls);
  const expected: readonly (readonly [Variables, RegExp])[] = [
    [{ CERTIFICATE: "/nowhere/ca.pem" }, /_CERTIFICATE is \/nowhere\/ca\.pem: there is no such file/],
    [{ CERTIFICATE: certificates.folder }, /_CERTIFICATE is .*: it is a directory/],
    [{ CERTIFICATE: client.keyFile }, /_CERTIFICATE is .*client\.key: it has no certificate in PEM/],
    [{ CERTIFICATE: garbage }, /_CERTIFICATE is .*garbage\.pem: its certificate cannot be read/],
    [{ CLIENT_CERTIFICATE: client.certificateFile }, /but OTEL_EXPORTER_OTLP_CLIENT_KEY is not set/],
    [{ TRACES_CLIENT_KEY: client.keyFile }, /but OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE is not set/],
    [{ ...pair, CLIENT_KEY: client.certificateFile }, /_CLIENT_KEY is .*client\.crt: it has no private key/],
    [{ ...pair, CLIENT_KEY: other.keyFile }, /other\.key: it is not the key of the certificate in .*client\.crt/],
  ];
  for (const [files, pattern] of expected) assert.match(mistakeIn(tls(files)), pattern);
  rmSync(client.keyFile);
  assert.match(mistakeIn(tls(pair)), /_CLIENT_KEY is .*client\.key: there is no such file/);
  assert.equal(settingsOf({ ENDPOINT: "http://c:4317", ...pair }).usesTls, false, "without TLS they are not looked at");
});
