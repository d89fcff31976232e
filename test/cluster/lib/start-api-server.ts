import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createApiClient } from "../../../exporter/kubernetes/api-client.js";
import { ApiError } from "../../../exporter/kubernetes/api-error.js";
import { findFreePorts } from "../../backends/lib/find-free-ports.js";
import { type Service, startService } from "../../backends/lib/start-service.js";
import { makeCertificates } from "../../lib/make-certificates.js";
import { apiServerProgramNames, installCluster } from "./install-cluster.js";

export interface ApiServer {
  readonly url: string;
  readonly authority: string;
  /** May do everything. */
  readonly admin: ApiClient;
  /** Somebody with this name, who may do what is bound to it. */
  clientFor(user: string): ApiClient;
  /** A kubeconfig for the same. */
  kubeconfigFor(user: string): Promise<string>;
  /** The API server alone dies; its store stays. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const ADMIN = "admin";

/**
 * The real etcd and kube-apiserver on free ports of 127.0.0.1, with nothing else: no kubelet takes its pods, no controller acts.
 * Whoever is in `users` is known by a token. Stop it in the end.
 */
export async function startApiServer({ users = [] as readonly string[] } = {}): Promise<ApiServer> {
  const programs = await installCluster(apiServerProgramNames);
  const folder = await mkdtemp(join(tmpdir(), "skbspan-api-"));
  const certificates = makeCertificates();
  const services: { etcd?: Service; api?: Service } = {};
  const stop = async (): Promise<void> => {
    await services.api?.stop();
    await services.etcd?.stop();
    certificates.remove();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const authority = certificates.createAuthority("authority");
    const server = authority.issue("kube-apiserver", {
      names: "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc,IP:10.96.0.1",
    });
    const accounts = authority.issue("service-accounts");
    const tokenFile = join(folder, "tokens.csv");
    await writeFile(
      tokenFile,
      [
        `${tokenOf(ADMIN)},${ADMIN},${ADMIN},"system:masters"`,
        ...users.map((name) => `${tokenOf(name)},${name},${name}`),
      ]
        .map((line) => `${line}\n`)
        .join(""),
    );
    const [etcdPort = 0, peerPort = 0, apiPort = 0] = await findFreePorts(3);
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    services.etcd = await startEtcd(programs.etcd, { folder, etcdUrl, peerUrl: `http://127.0.0.1:${peerPort}` });
    const url = `https://127.0.0.1:${apiPort}`;
    const clientFor = (user: string): ApiClient =>
      createApiClient({
        server: url,
        async apply(options) {
          const headers = { ...options.headers, authorization: `Bearer ${tokenOf(user)}` };
          Object.assign(options, { headers, ca: authority.certificate, agent: false });
        },
      });
    const admin = clientFor(ADMIN);
    const files = { server, authorityFile: authority.certificateFile, accounts, tokenFile };
    const start = async (): Promise<void> => {
      services.api = await startKubeApiserver(programs["kube-apiserver"], {
        etcdUrl,
        apiPort,
        admin,
        folder,
        ...files,
      });
    };
    await start();
    return {
      url,
      authority: authority.certificate,
      admin,
      clientFor,
      async kubeconfigFor(user) {
        const file = join(folder, `${user}.kubeconfig`);
        await writeFile(file, renderKubeconfig(url, authority.certificateFile, tokenOf(user)));
        return file;
      },
      kill: async () => services.api?.kill(),
      restart: start,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function tokenOf(user: string): string {
  return `token-of-${user.replaceAll(/[^a-z0-9]/g, "-")}`;
}

interface EtcdOptions {
  readonly folder: string;
  readonly etcdUrl: string;
  readonly peerUrl: string;
}

function startEtcd(program: string, { folder, etcdUrl, peerUrl }: EtcdOptions): Promise<Service> {
  const flags = {
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": etcdUrl,
    "advertise-client-urls": etcdUrl,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": `default=${peerUrl}`,
    "log-level": "warn",
  };
  // What it holds is gone after the test: it need not survive a power cut.
  const argv = [program, "--unsafe-no-fsync", ...renderFlags(flags)];
  return startService({ name: "etcd", argv, ready: `${etcdUrl}/readyz` });
}

interface KubeApiserverOptions {
  readonly folder: string;
  readonly etcdUrl: string;
  readonly apiPort: number;
  readonly admin: ApiClient;
  readonly server: { readonly certificateFile: string; readonly keyFile: string };
  readonly authorityFile: string;
  readonly accounts: { readonly certificateFile: string; readonly keyFile: string };
  readonly tokenFile: string;
}

async function startKubeApiserver(program: string, options: KubeApiserverOptions): Promise<Service> {
  const { folder, etcdUrl, apiPort, admin, server, authorityFile, accounts, tokenFile } = options;
  const flags = {
    "etcd-servers": etcdUrl,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    "secure-port": apiPort,
    "cert-dir": folder,
    "tls-cert-file": server.certificateFile,
    "tls-private-key-file": server.keyFile,
    "client-ca-file": authorityFile,
    "token-auth-file": tokenFile,
    "authorization-mode": "Node,RBAC",
    "service-cluster-ip-range": "10.96.0.0/16",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": accounts.certificateFile,
    "service-account-signing-key-file": accounts.keyFile,
    // There is one, on the loopback address, which the Service `kubernetes` cannot have.
    "endpoint-reconciler-type": "none",
    // No controller makes the account that a pod would have.
    "disable-admission-plugins": "ServiceAccount",
    "shutdown-delay-duration": "0s",
  };
  return startService({
    name: "kube-apiserver",
    argv: [program, ...renderFlags(flags)],
    ready: () => isReady(admin),
    readyTimeoutMs: 300_000,
  });
}

/** It answers `ok`, which is no JSON. */
async function isReady(admin: ApiClient): Promise<boolean> {
  try {
    await admin.request({ path: "/readyz" });
    return true;
  } catch (error) {
    return error instanceof ApiError && error.message.endsWith("no JSON");
  }
}

function renderFlags(flags: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

function renderKubeconfig(server: string, authorityFile: string, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority": authorityFile } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "user" } }],
    "current-context": "test",
  });
}
