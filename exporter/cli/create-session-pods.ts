import { readPodSelection } from "../config/read-pod-selection.js";
import { createPodResolver, type PodResolver } from "../enrich/create-pod-resolver.js";
import { createWaitingRoom, type WaitingRoom } from "../enrich/create-waiting-room.js";
import { type FollowedPods, followPods } from "../enrich/follow-pods.js";
import type { PodDirectory } from "../enrich/pod-directory.js";
import { needsNames, selectsAll } from "../enrich/select-pod.js";
import { describePodResource } from "../kubernetes/pod-resource.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { CommandContext } from "./command-context.js";
import type { Source } from "./open-source.js";

/** Whose the network namespaces are, for one command. */
export interface SessionPods {
  readonly resolver: PodResolver;
  readonly waitingRoom: WaitingRoom;
  /** Lets the tracer follow the pods that the user selected; undefined: packets of all are wanted. */
  follow(source: Pick<Source, "send">): FollowedPods | undefined;
}

/** `kubernetes`: undefined where no API server is asked. Throws UserError when pods are selected by what only that knows. */
export function createSessionPods(
  { config, reporter }: CommandContext,
  kubernetes: { readonly directory: PodDirectory; readonly node: string } | undefined,
): SessionPods {
  const { arePodLabelsUsed: areLabelsUsed } = config;
  const selection = readPodSelection(config);
  if (!kubernetes && needsNames(selection))
    throw new UserError(
      exitCode.usage,
      "Pods can be selected by their uid alone here: no API server is asked for their names.",
      {
        hint: "Give --kubeconfig and --node-name, or run in a pod with a service account; --pod takes uids without.",
      },
    );
  const resolver = createPodResolver({
    describePod: (pod) => describePodResource(pod, { areLabelsUsed }),
    ...(kubernetes ? { directory: kubernetes.directory, nodeName: kubernetes.node } : {}),
  });
  return {
    resolver,
    waitingRoom: createWaitingRoom({ resolver, waitMs: config.podWaitMs }),
    follow({ send }) {
      if (selectsAll(selection)) return undefined;
      warnWhenBlind(resolver, (text) => reporter.warn(text));
      return followPods({ resolver, selection, send });
    },
  };
}

function warnWhenBlind(resolver: PodResolver, warn: (text: string) => void): void {
  let isSaid = false;
  resolver.onChange?.(() => {
    if (isSaid || resolver.stats().method !== "none") return;
    isSaid = true;
    warn(
      "this kernel does not tell which pod a network namespace is of: no packet will match (`skbspan doctor`, check `pods`)",
    );
  });
}
