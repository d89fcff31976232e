import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installNodeModules } from "./lib/build.js";
import { installClang, installPackages } from "./lib/install-packages.js";
import { buildNeeds } from "./lib/packages.js";
import { root, run } from "./lib/run.js";
import { runScript, say } from "./lib/say.js";

/** What each is written by, of the compiled exporter. */
const documents = [
  { file: "docs/options.md", module: "config/render-options-document.js", render: "renderOptionsDocument" },
  { file: "docs/cli.md", module: "config/render-commands-document.js", render: "renderCommandsDocument" },
  { file: "docs/attributes.md", module: "map/render-attributes-document.js", render: "renderAttributesDocument" },
  {
    file: "deploy/chart/skbspan/values.schema.json",
    module: "config/render-values-schema.js",
    render: "renderValuesSchema",
  },
];

// npm run generate: exporter/wire/layout.ts from bpf/wire.h, docs/*.md from the tables of options, commands and attributes
await runScript(async () => {
  await installPackages(buildNeeds);
  await installClang();
  await installNodeModules();
  await run("make", ["-C", "bpf", "-s", "generate"]);
  await run(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.json"]);
  for (const { file, module, render } of documents) {
    const functions = await import(new URL(`../dist/exporter/${module}`, import.meta.url).href);
    // Of the schema only a part is written anew.
    await writeFile(join(root, file), functions[render](await readFile(join(root, file), "utf8")));
    say(`${file} is written`);
  }
});
