import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { demoNeeds, guestNeeds, testNeeds } from "./lib/packages.js";
import { containsOneOf, runTests } from "./lib/run-tests.js";
import { runScript } from "./lib/say.js";

/** Suites that are run by name only: the programs they test with take minutes to build. */
const separateSuites = ["backends", "cluster"];

// npm test [-- PART OF A PATH ...]: all tests but those of the separate suites, or those of files whose path contains one of the parts
await runScript(async () => {
  const parts = process.argv.slice(2);
  await installPackages([...demoNeeds, ...guestNeeds, ...testNeeds]);
  await build({ withTests: true });
  const leftOut = separateSuites.filter((suite) => !parts.some((part) => part.includes(suite)));
  return runTests((file) => containsOneOf(parts)(file) && !leftOut.some((suite) => file.startsWith(`test/${suite}/`)));
});
