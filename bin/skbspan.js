#!/usr/bin/env node
const MIN_NODE_MAJOR = 20;

async function loadMain() {
  if (Number.parseInt(process.versions.node, 10) < MIN_NODE_MAJOR)
    throw new Error(`skbspan needs Node.js ${MIN_NODE_MAJOR} or newer; this is ${process.versions.node}.`);
  try {
    return (await import("../dist/exporter/cli/main.js")).main;
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`skbspan is not built: run \`npm run build\`. (${error.message.split("\n")[0]})`);
  }
}

try {
  // Not by running dry: standard input or a connection that is still open is not to hold up the end.
  process.exit(await (await loadMain())(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`skbspan: error: ${error.message}\n`);
  process.exitCode = 1;
}
