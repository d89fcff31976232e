import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { demoNeeds, guestNeeds } from "./lib/packages.js";
import { runScript, ScriptError, say } from "./lib/say.js";

// npm run guest -- KERNEL [COMMAND]: a shell in a guest, or a command there, in the checkout
await runScript(async () => {
  const [kernel, ...command] = process.argv.slice(2);
  await installPackages([...guestNeeds, ...demoNeeds]);
  await build({ withTests: true });
  const { findKernelSeries, kernelSeries } = await import("../dist/test/kernels/kernel-series.js");
  const names = kernelSeries.map(({ name }) => name).join(", ");
  if (kernel === undefined)
    throw new ScriptError(`Which kernel? npm run guest -- KERNEL [COMMAND]; there are: ${names}`);
  if (!kernelSeries.some(({ name }) => name === kernel))
    throw new ScriptError(`There is no guest kernel "${kernel}"; there are: ${names}`);
  const isInteractive = command.length === 0;
  if (isInteractive && !process.stdin.isTTY)
    throw new ScriptError("There is no terminal for a shell: name a command to run.");
  if (isInteractive)
    say("A shell in the guest: this machine's files, read-only below what you change. `exit` ends it.");
  const { runInGuest } = await import("../dist/test/kernels/run-in-guest.js");
  const { code } = await runInGuest({
    kernel: findKernelSeries(kernel).name,
    command: isInteractive ? `exec ${process.env.SHELL ?? "/bin/sh"} -i` : command.join(" "),
    timeoutMs: Number.POSITIVE_INFINITY,
    isInteractive,
    onOutput: (text) => process.stdout.write(text),
    onProgress: say,
  });
  return code;
});
