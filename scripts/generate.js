import { installClang, installPackages } from "./lib/install-packages.js";
import { buildNeeds } from "./lib/packages.js";
import { run } from "./lib/run.js";
import { runScript } from "./lib/say.js";

// npm run generate: exporter/wire/layout.ts from bpf/wire.h
await runScript(async () => {
  await installPackages(buildNeeds);
  await installClang();
  await run("make", ["-C", "bpf", "-s", "generate"]);
});
