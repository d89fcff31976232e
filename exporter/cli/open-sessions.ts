import type { PodDirectory } from "../enrich/pod-directory.js";
import type { Kubernetes } from "../kubernetes/open-kubernetes.js";
import type { SessionManager } from "../session/create-session-manager.js";
import type { SessionPods } from "../session/start-session.js";
import type { CommandContext } from "./command-context.js";
import { createSessionJoiner } from "./create-session-joiner.js";
import { createSessionPods } from "./create-session-pods.js";
import type { NamedSink } from "./create-sinks.js";
import { limitProblems } from "./limit-problems.js";

export interface OpenSessions {
  readonly manager: SessionManager;
  /** Ends all sessions and says so where they were asked for. */
  close(): Promise<void>;
}

/** The agent's sessions, for who asks by HTTP, and where Kubernetes is, for its PacketTraces. Undefined: none are served. */
export async function openSessions(
  context: CommandContext,
  sinks: readonly NamedSink[],
  kubernetes: Kubernetes | undefined,
): Promise<OpenSessions | undefined> {
  const { config, environment, reporter } = context;
  if (!config.areSessionsServed || config.recording !== undefined) return undefined;
  const { createSessionManager } = await import("../session/create-session-manager.js");
  const { startSession } = await import("../session/start-session.js");
  const manager = createSessionManager((spec, onJourney) =>
    startSession({
      spec,
      config,
      environment,
      openPods: (sessionConfig) => openPodsForAWhile({ ...context, config: sessionConfig }, kubernetes),
      openJoiner: createSessionJoiner,
      farEnds: kubernetes?.farEnds,
      sinks: sinks.map(({ sink }) => sink),
      onJourney,
    }),
  );
  const controller = kubernetes && (await followPacketTraces(context, kubernetes, manager));
  if (controller) reporter.say(`skbspan: PacketTraces of pods on ${kubernetes.node} are traced`);
  return {
    manager,
    async close() {
      await manager.close();
      await controller?.close();
    },
  };
}

/** The directory outlives the session, whose listeners are to go with it. */
function openPodsForAWhile(context: CommandContext, kubernetes: Kubernetes | undefined): SessionPods {
  if (!kubernetes) return { ...createSessionPods(context, undefined), close() {} };
  const { directory, node } = kubernetes;
  const ends: (() => void)[] = [];
  const borrowed: PodDirectory = {
    lookup: (uid) => directory.lookup(uid),
    pods: () => directory.pods(),
    onChange(listener) {
      const end = directory.onChange(listener);
      ends.push(end);
      return end;
    },
  };
  return {
    ...createSessionPods(context, { directory: borrowed, node }),
    close() {
      for (const end of ends) end();
    },
  };
}

async function followPacketTraces(
  { environment, reporter }: CommandContext,
  { client, node, directory }: Kubernetes,
  manager: SessionManager,
) {
  const { createSessionController } = await import("../session/create-session-controller.js");
  const { POD_NAME: podName, POD_NAMESPACE: podNamespace } = environment;
  return createSessionController({
    client,
    node,
    agent: podName && podNamespace ? `${podNamespace}/${podName}` : undefined,
    directory,
    manager,
    warn: limitProblems((text) => reporter.warn(text)),
    onHealth({ state, reason }) {
      if (state !== "failing") return;
      reporter.warn(
        `cannot read PacketTraces, no new ones are started: ${reason}; the cluster needs deploy/crds/packettraces.yaml, and the agent's role list and watch of packettraces`,
      );
    },
  });
}
