export interface StartOptions {
  readonly checkout: string;
  readonly resultsPath: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly isInteractive: boolean;
  /** Set up the address that ports are forwarded to. */
  readonly hasNetwork: boolean;
  /** Of the terminal. */
  readonly columns: number;
  readonly rows: number;
}

const TERMINAL = "/dev/ttyS1";
/** What qemu's user networking calls the first guest. */
const GUEST_ADDRESS = "10.0.2.15/24";

/** The script that is the guest's first process: it runs the command on the terminal and keeps its exit code. */
export function renderStart(options: StartOptions): string {
  const { resultsPath, isInteractive, columns, rows } = options;
  const variables = { ...options.environment, SKBSPAN_RESULTS: resultsPath };
  const terminal = isInteractive ? `sane cols ${columns} rows ${rows}` : "raw -echo";
  const network = `modprobe virtio_net && ip address add ${GUEST_ADDRESS} dev eth0 && ip link set eth0 up`;
  return `#!/bin/sh
${Object.entries(variables)
  .map(([name, value]) => `export ${name}=${quote(value)}`)
  .join("\n")}
stty -F ${TERMINAL} ${terminal}
${options.hasNetwork ? network : ":"}
cd ${quote(options.checkout)}
${isInteractive ? onTerminal(resultsPath) : throughPipe(resultsPath)}
echo $code > ${resultsPath}/.guest/code
stty -F ${TERMINAL} cooked # waits until everything is printed
sync
echo b > /proc/sysrq-trigger
`;
}

function onTerminal(resultsPath: string): string {
  return `setsid -cw /bin/sh ${resultsPath}/.guest/command < ${TERMINAL} > ${TERMINAL} 2>&1
code=$?`;
}

/** A command whose output is not for a person must not find a terminal. */
function throughPipe(resultsPath: string): string {
  return `mkfifo /run/skbspan/output
cat /run/skbspan/output > ${TERMINAL} &
printing=$!
setsid -w /bin/sh ${resultsPath}/.guest/command < /dev/null > /run/skbspan/output 2>&1
code=$?
# What the command left running may hold the pipe open.
( sleep 5; kill $printing ) 2> /dev/null &
wait $printing 2> /dev/null`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
