import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";

/** What is known of somebody who asks. */
export interface Caller {
  readonly address: string | undefined;
  readonly isEncrypted: boolean;
  /** The header Authorization. */
  readonly authorization: string | undefined;
}

export interface Refusal {
  readonly code: 401 | 403;
  readonly reason: string;
}

/** Says who may read what the agent knows of packets: their addresses are in its metrics. */
export interface Access {
  /** Throws UserError when the token's file is no good, so that the agent does not start with it. */
  check(): Promise<void>;
  /** Undefined: the caller may. */
  whyRefused(caller: Caller): Promise<Refusal | undefined>;
}

const MIN_TOKEN_CHARACTERS = 16;

/**
 * With a token everybody has to show it, and from elsewhere over TLS, or it would be read on the way. Without one only this
 * machine (in a pod: this pod, which `kubectl port-forward` reaches) is served. The file is read every time: Kubernetes puts
 * new contents into a mounted Secret.
 */
export function createAccess(tokenFile: string | undefined): Access {
  return {
    async check() {
      if (tokenFile !== undefined) await readToken(tokenFile);
    },
    async whyRefused({ address, isEncrypted, authorization }) {
      const isHere = isLoopback(address);
      if (tokenFile === undefined)
        return isHere ? undefined : refuse(403, "without --listen-token-file only this machine itself is served");
      if (!isHere && !isEncrypted)
        return refuse(403, "a token is taken from elsewhere over TLS only: see --listen-certificate");
      const shown = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
      if (shown === undefined) return refuse(401, "the header `Authorization: Bearer TOKEN` is needed");
      const token = await readToken(tokenFile).catch(() => undefined);
      if (token === undefined) return refuse(403, "the agent cannot read its token");
      return isSame(shown, token) ? undefined : refuse(401, "this is not the token");
    },
  };
}

async function readToken(file: string): Promise<string> {
  const fail = (what: string, cause?: unknown): never => {
    throw new UserError(exitCode.usage, `Cannot use the token in ${file}: ${what}.`, {
      hint: "The file has to hold the token alone: `openssl rand -hex 32` makes a good one.",
      cause,
    });
  };
  const text = await readFile(file, "utf8").catch((error) => fail(describeSystemError(error), error));
  const token = text.trim();
  if (token.length < MIN_TOKEN_CHARACTERS)
    return fail(`it has ${token.length} characters, at least ${MIN_TOKEN_CHARACTERS} are needed`);
  return /^[\x21-\x7e]+$/.test(token) ? token : fail("it must be printable ASCII without spaces");
}

/** An IPv4 peer of a socket that takes both families has the form ::ffff:127.0.0.1. */
function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}

/** Takes as long for every wrong token. */
function isSame(shown: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(shown), digest(token));
}

function refuse(code: Refusal["code"], reason: string): Refusal {
  return { code, reason };
}
