import type { Kubernetes } from "../kubernetes/open-kubernetes.js";
import type { CommandContext } from "./command-context.js";

/** What names pods, where Kubernetes is; imported only there. A recording is not of this moment's pods. Throws UserError. */
export async function openPodNames({ config, environment, reporter }: CommandContext): Promise<Kubernetes | undefined> {
  if (config.kubernetes === "off" || config.recording !== undefined) return undefined;
  const { openKubernetes } = await import("../kubernetes/open-kubernetes.js");
  return openKubernetes({
    config,
    environment,
    say: (text) => reporter.say(text),
    warn: (text) => reporter.warn(text),
  });
}
