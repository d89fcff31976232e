import { spawn } from "node:child_process";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";

/** kubectl, with the user's own credentials: whatever way they come, this plugin needs not know it. */
export interface Kubectl {
  /** Its standard output. Throws UserError with what it said. */
  run(args: readonly string[], input?: object): Promise<string>;
  /** Opens a way to a port of a pod, which ends with `close`. Throws UserError. */
  forward(namespace: string, pod: string, port: number): Promise<{ readonly url: string; close(): void }>;
}

const RUN_TIMEOUT_MS = 60_000;
const FORWARD_TIMEOUT_MS = 30_000;

export function createKubectl(kubectlArguments: readonly string[]): Kubectl {
  // Ctrl-C is for the plugin, which has something to clean up with it.
  const start = (args: readonly string[], timeout?: number) =>
    spawn("kubectl", [...kubectlArguments, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      ...(timeout === undefined ? {} : { timeout }),
    });
  return {
    run(args, input) {
      const child = start(args, RUN_TIMEOUT_MS);
      child.stdin.on("error", () => {});
      child.stdin.end(input === undefined ? "" : JSON.stringify(input));
      return readOutput(child, args[0] ?? "");
    },
    async forward(namespace, pod, port) {
      const child = start(["port-forward", "-n", namespace, `pod/${pod}`, `:${port}`]);
      const close = (): void => void child.kill();
      child.stdin.end();
      let output = "";
      const url = await new Promise<string>((resolve, reject) => {
        const fail = (): void => {
          close();
          reject(new UserError(exitCode.failure, `kubectl cannot forward to ${namespace}/${pod}: ${output.trim()}`));
        };
        const timer = setTimeout(fail, FORWARD_TIMEOUT_MS);
        const look = (text: string): void => {
          output += text;
          const match = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(output);
          if (!match) return;
          clearTimeout(timer);
          resolve(`127.0.0.1:${match[1]}`);
        };
        for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", look);
        child.on("error", fail);
        child.on("exit", fail);
      });
      return { url, close };
    },
  };
}

async function readOutput(child: ReturnType<typeof spawn>, what: string): Promise<string> {
  let output = "";
  let errors = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) =>
      reject(
        new UserError(exitCode.failure, `Cannot run kubectl: ${error.message}.`, { hint: "It has to be on the path." }),
      ),
    );
    child.on("close", resolve);
  });
  if (code === 0) return output;
  throw new UserError(exitCode.failure, `kubectl ${what}: ${errors.trim() || `ended with code ${code}`}`);
}
