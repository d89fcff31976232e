import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Who talks to whom in a cluster: a subject for the API server's rules, and the names of what serves. */
const members = {
  "kube-apiserver": { subject: "/CN=kube-apiserver", serves: true },
  admin: { subject: "/O=system:masters/CN=admin", serves: false },
  "kubelet-client": { subject: "/O=system:masters/CN=kube-apiserver-kubelet-client", serves: false },
  kubelet: { subject: "/O=system:nodes/CN=system:node:node1", serves: true },
  "kube-controller-manager": { subject: "/CN=system:kube-controller-manager", serves: false },
  "kube-scheduler": { subject: "/CN=system:kube-scheduler", serves: false },
  "kube-proxy": { subject: "/CN=system:kube-proxy", serves: false },
} as const;
export type ClusterMember = keyof typeof members;

export interface ClusterCertificates {
  readonly authority: string;
  readonly authorityKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  certificate(member: ClusterMember): string;
  key(member: ClusterMember): string;
  /** A file for --kubeconfig. */
  kubeconfig(member: ClusterMember): string;
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** By openssl, into `folder`. `names` are those of what serves, as for subjectAltName. */
export function makeClusterCertificates(folder: string, server: string, names: string): ClusterCertificates {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  const authority = file("ca.crt");
  const authorityKey = file("ca.key");
  const authorityUse = ["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "2"];
  openssl(
    "req",
    "-x509",
    ...EC,
    "-keyout",
    authorityKey,
    "-out",
    authority,
    "-subj",
    "/CN=test-cluster",
    ...authorityUse,
  );
  openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", file("sa.key"));
  openssl("ec", "-in", file("sa.key"), "-pubout", "-out", file("sa.pub"));
  for (const [name, { subject, serves }] of Object.entries(members)) {
    const uses = "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n";
    writeFileSync(file(`${name}.ext`), serves ? `${uses}subjectAltName=${names}\n` : uses);
    openssl("req", ...EC, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`), "-subj", subject);
    const signer = ["-CA", authority, "-CAkey", authorityKey, "-CAcreateserial", "-days", "2"];
    openssl(
      "x509",
      "-req",
      "-in",
      file(`${name}.csr`),
      "-out",
      file(`${name}.crt`),
      "-extfile",
      file(`${name}.ext`),
      ...signer,
    );
    writeFileSync(file(`${name}.kubeconfig`), renderKubeconfig(server, authority, file(name)));
  }
  return {
    authority,
    authorityKey,
    serviceAccountKey: file("sa.key"),
    serviceAccountPublicKey: file("sa.pub"),
    certificate: (member) => file(`${member}.crt`),
    key: (member) => file(`${member}.key`),
    kubeconfig: (member) => file(`${member}.kubeconfig`),
  };
}

function renderKubeconfig(server: string, authority: string, base: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority": authority } }],
    users: [{ name: "user", user: { "client-certificate": `${base}.crt`, "client-key": `${base}.key` } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "user" } }],
    "current-context": "test",
  });
}
