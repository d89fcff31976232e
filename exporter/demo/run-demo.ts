import { catchInterrupts } from "../cli/catch-interrupts.js";
import type { CommandContext } from "../cli/command-context.js";
import { openSource, type Source } from "../cli/open-source.js";
import { runSession } from "../cli/run-session.js";
import type { HelloFrame } from "../decode/frame.js";
import { createOtlpSink } from "../export/create-otlp-sink.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { createPipeline, type Pipeline } from "../pipeline.js";
import { createJourneyIndex } from "../store/create-journey-index.js";
import { decodeOtlpJson } from "../store/decode-otlp.js";
import { receiveRequest } from "../store/receive-request.js";
import { addDemoRules, buildDemoNetwork, demoNetwork, demoPicture } from "./build-demo-network.js";
import { type DemoOutcome, readPageStatus, reportCheck, waitForFindings } from "./check-demo.js";
import { type DemoFindings, readFindings } from "./demo-findings.js";
import { createLab, type Lab } from "./lab/create-lab.js";
import { type DemoServers, startDemoServers } from "./start-demo-servers.js";
import { startDemoClient, startDemoServer } from "./start-demo-traffic.js";

/** The receiver is this process itself, in an emulated guest a slow one: it takes all in the end. */
const FLUSH_TIMEOUT_MS = 120_000;

/**
 * The demo from beginning to end: servers, network, tracer, traffic; then until Ctrl-C, or with `--check` until the
 * store holds what it should. Everything is taken down in reverse, however it ends.
 */
export async function runDemo(context: CommandContext): Promise<void> {
  requireRoot();
  const demo = new Demo(context);
  try {
    await demo.run();
  } finally {
    await demo.close();
  }
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new UserError(
    exitCode.rights,
    "The demo makes network namespaces and traces the kernel: it has to run as root.",
    {
      hint: "Run `sudo skbspan demo`, or in the repository `sudo npm run demo`.",
    },
  );
}

class Demo {
  private readonly interrupts = catchInterrupts(
    () => this.say("\nskbspan: cleaning up; Ctrl-C once more does not wait"),
    () => {},
  );
  private servers: DemoServers | undefined;
  private lab: Lab | undefined;

  constructor(private readonly context: CommandContext) {}

  async run(): Promise<void> {
    const servers = await this.startServers();
    const lab = await this.buildLab();
    if (this.interrupts.signal.aborted) return;
    this.say("4. start the tracer, for the packets of this network alone");
    const outcome = await this.trace(servers, lab);
    if (this.context.config.isCheck) reportCheck(outcome, this.context.standardOutput.stream);
  }

  /** In reverse. */
  async close(): Promise<void> {
    const { lab, servers } = this;
    const namespaces = [...(lab?.inodes.keys() ?? [])].join(", ");
    if (namespaces !== "") this.say(`removing the namespaces ${namespaces}`);
    await lab?.close();
    await servers?.close();
    this.interrupts.release();
    if (namespaces !== "") this.say("done: nothing of the demo is left");
  }

  private say(text: string): void {
    if (!this.context.config.isQuiet) this.context.reporter.say(text);
  }

  private async startServers(): Promise<DemoServers> {
    const { pagePort, otlpGrpcPort, otlpHttpPort } = this.context.config;
    this.servers = await startDemoServers({ pagePort, otlpGrpcPort, otlpHttpPort });
    const { grpcAddress, httpAddress, pageUrl } = this.servers;
    this.say("skbspan demo: the packets of a small network on this machine become traces.");
    this.say(`1. keep traces in memory, take OTLP/gRPC on ${grpcAddress} and OTLP/HTTP on ${httpAddress}`);
    this.say(`   (your own application may send there too), and serve the page at ${pageUrl}`);
    return this.servers;
  }

  private async buildLab(): Promise<Lab> {
    this.say("2. make two pods and a node out of network namespaces, veth pairs, a bridge and NAT:");
    this.say(demoPicture);
    this.lab = await createLab({ prefix: "" });
    await buildDemoNetwork(this.lab);
    this.say(`3. add firewall rules on ${demoNetwork.node}: port ${demoNetwork.blockedPort} is dropped`);
    await addDemoRules(this.lab);
    return this.lab;
  }

  /** Kernel to store and page, until it is stopped. */
  private async trace(servers: DemoServers, lab: Lab): Promise<DemoOutcome> {
    const context = { ...this.context, config: { ...this.context.config, filter: demoNetwork.filter } };
    const source = await openSource(context);
    const sink = createOtlpSink({
      url: servers.otlpUrl,
      flushTimeoutMs: FLUSH_TIMEOUT_MS,
      onProblem: (text) => context.reporter.warn(text),
    });
    const index = createJourneyIndex(servers.store);
    const read = (): DemoFindings => readFindings(index.records());
    const work = { pageStatus: 0, failure: undefined as unknown };
    let pipeline: Pipeline | undefined;
    const begin = (hello: HelloFrame): void => {
      this.work(hello, lab, servers, read, source)
        .then((pageStatus) => {
          work.pageStatus = pageStatus;
        })
        .catch((error: unknown) => {
          work.failure = error;
          source.stop();
        });
    };
    await runSession({
      context,
      source,
      sinks: [{ name: "otlp", sink }],
      describeProgress: () => describeFindings(read(), servers.pageUrl),
      createConsumer: (hooks) => {
        pipeline = createPipeline({
          ...hooks,
          sinks: [sink],
          onFrame: (frame) => frame.type === "hello" && begin(frame),
        });
        return pipeline;
      },
    });
    if (work.failure !== undefined) throw work.failure;
    const { hello, stats } = pipeline?.state ?? {};
    return { hello, stats, servers, sink, findings: read(), pageStatus: work.pageStatus };
  }

  /** Once the tracer is attached: traffic, and with `--check` the end. Returns the page's HTTP status then. */
  private async work(
    hello: HelloFrame,
    lab: Lab,
    { pageUrl, store }: DemoServers,
    read: () => DemoFindings,
    source: Source,
  ): Promise<number> {
    this.say(`   kernel ${hello.kernelRelease}: ${hello.attachedFunctions} probes by the backend ${hello.backend}`);
    if (hello.backend === "tracepoint")
      this.say("   (only tracepoints are allowed here: the functions between them come from kernel stacks)");
    this.say(
      `5. start a web server in ${demoNetwork.web} and a client in ${demoNetwork.client}: a request a second, and now`,
    );
    this.say(
      `   and then port ${demoNetwork.blockedPort}, which is dropped, and a UDP port where nobody listens; both are traced by`,
    );
    this.say("   OpenTelemetry, and have the packets of a request in its trace");
    const takeSpans = (otlpJson: string): void => void receiveRequest(store, decodeOtlpJson(otlpJson));
    await startDemoServer(lab, takeSpans);
    await startDemoClient(lab, takeSpans);
    this.say(`\n   Look at ${pageUrl}    Ctrl-C ends the demo and cleans up.\n`);
    if (!this.context.config.isCheck) return 0;
    await waitForFindings(read, this.interrupts.signal);
    const pageStatus = await readPageStatus(pageUrl);
    source.stop();
    return pageStatus;
  }
}

function describeFindings(findings: DemoFindings, pageUrl: string): string {
  const drops = Object.values(findings.dropReasons).reduce((sum, count) => sum + count, 0);
  return `${findings.journeys} journeys in the store, ${drops} of them dropped; look at ${pageUrl}`;
}
