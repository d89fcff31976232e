import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { demoNeeds, guestNeeds, testNeeds } from "./lib/packages.js";
import { containsOneOf, runTests } from "./lib/run-tests.js";
import { runScript } from "./lib/say.js";

// npm test [-- PART OF A PATH ...]: all tests but those of backends, or those of files whose path contains one of the parts
await runScript(async () => {
  const parts = process.argv.slice(2);
  await installPackages([...demoNeeds, ...guestNeeds, ...testNeeds]);
  await build({ withTests: true });
  const areBackendsWanted = parts.some((part) => part.includes("backends"));
  return runTests((file) => containsOneOf(parts)(file) && (areBackendsWanted || !file.startsWith("test/backends/")));
});
