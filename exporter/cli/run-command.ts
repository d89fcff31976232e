import { createControlServer } from "../control/create-control-server.js";
import { createDropCounter } from "../control/create-drop-counter.js";
import { createExportHealth } from "../control/create-export-health.js";
import { createNodeState } from "../enrich/create-node-state.js";
import { scope } from "../export/scope.js";
import type { Joiner } from "../join/create-joiner.js";
import type { Kubernetes } from "../kubernetes/open-kubernetes.js";
import { createPipeline } from "../pipeline.js";
import type { CommandContext, RunCommand } from "./command-context.js";
import { createSessionJoiner } from "./create-session-joiner.js";
import { createSessionPods, type SessionPods } from "./create-session-pods.js";
import { createSessionVolume, type SessionVolume } from "./create-session-volume.js";
import { createSinks, type NamedSink } from "./create-sinks.js";
import { openPodNames } from "./open-pod-names.js";
import { type OpenSessions, openSessions } from "./open-sessions.js";
import { openSource } from "./open-source.js";
import { type Consumer, type ConsumerHooks, runSession } from "./run-session.js";

const OBSERVE_EVERY_MS = 1_000;

/** `skbspan run`: the agent. Ends with the tracer, or cleanly on SIGTERM. */
export const runCommand: RunCommand = async (context) => {
  const sinks = await createSinks(context, { isRecording: context.config.recording !== undefined });
  const volume = createSessionVolume(context, context.config.recording !== undefined);
  const kubernetes = await openPodNames(context);
  const pods = createSessionPods(context, kubernetes);
  const sessions = await openSessions(context, sinks, kubernetes);
  const joiner = createSessionJoiner(context.config);
  const agent = createAgent(context, sinks, volume, { kubernetes, pods, sessions, joiner });
  try {
    await agent.start();
    const source = await openSource(context);
    await runSession({ context, source, sinks, pods, volume, joiner, createConsumer: agent.createConsumer });
  } finally {
    await sessions?.close();
    await agent.close();
    await kubernetes?.close();
  }
};

interface AgentParts {
  readonly kubernetes: Kubernetes | undefined;
  readonly pods: SessionPods;
  readonly sessions: OpenSessions | undefined;
  readonly joiner: Joiner | undefined;
}

interface Agent {
  start(): Promise<void>;
  createConsumer(hooks: ConsumerHooks): Consumer;
  close(): Promise<void>;
}

function createAgent(
  { config, reporter }: CommandContext,
  sinks: readonly NamedSink[],
  volume: SessionVolume,
  { kubernetes, pods: { resolver, waitingRoom }, sessions, joiner }: AgentParts,
): Agent {
  const drops = createDropCounter(() => performance.now());
  const health = createExportHealth();
  let state: Consumer["state"] = createNodeState();
  const control = createControlServer({
    unreadyAfterMs: config.unreadyAfterMs,
    tokenFile: config.listenTokenFile,
    certificateFiles: certificateFilesOf(config),
    sessions: sessions?.manager,
    takeSnapshot: () => ({
      version: scope.version,
      state,
      sinks: sinks.map(({ name, sink }) => ({ name, stats: sink.stats() })),
      dropsByReason: drops.byReason(state),
      volume: volume.stats(),
      ...(joiner ? { joining: joiner.stats() } : {}),
      dropSeries: drops.series(),
      exportFailingMs: health.failingMs(performance.now()),
      namespaces: { ...resolver.stats(), ...waitingRoom.stats() },
      ...(sessions ? { sessions: sessions.manager.counts() } : {}),
      ...(kubernetes ? { pods: kubernetes.directory.stats(), farEnds: kubernetes.farEndStats() } : {}),
    }),
  });
  const observe = (): void =>
    health.observe(
      sinks.map(({ sink }) => sink.stats()),
      performance.now(),
    );
  const timer = setInterval(observe, OBSERVE_EVERY_MS);
  return {
    async start() {
      const { host, port } = await control.start(config.listen);
      const scheme = config.listenCertificateFile === undefined ? "http" : "https";
      reporter.say(
        `skbspan: /healthz, /readyz and /metrics on ${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`,
      );
    },
    createConsumer(hooks) {
      const pipeline = createPipeline({
        ...hooks,
        sinks: sinks.map(({ sink }) => sink),
        farEnds: kubernetes?.farEnds,
        onMapped: (spans) => drops.count(spans, pipeline.state),
        onFrame(frame) {
          if (frame.type === "hello")
            reporter.say(
              `skbspan: attached to ${frame.attachedFunctions} probes by ${frame.backend}, kernel ${frame.kernelRelease}`,
            );
        },
      });
      state = pipeline.state;
      return pipeline;
    },
    async close() {
      clearInterval(timer);
      await control.close();
    },
  };
}

function certificateFilesOf({ listenCertificateFile, listenKeyFile }: CommandContext["config"]) {
  return listenCertificateFile !== undefined && listenKeyFile !== undefined
    ? { certificate: listenCertificateFile, key: listenKeyFile }
    : undefined;
}
