import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { backendNeeds, demoNeeds, testNeeds } from "./lib/packages.js";
import { containsOneOf, runTests } from "./lib/run-tests.js";
import { runScript, say } from "./lib/say.js";

// npm run test:backends [-- PART OF A PATH ...]: tests against Jaeger, the Collector, Prometheus and Alertmanager
await runScript(async () => {
  const parts = process.argv.slice(2);
  await installPackages([...demoNeeds, ...testNeeds, ...backendNeeds]);
  await build({ withTests: true });
  const { installBackends } = await import("../dist/test/backends/lib/install-backends.js");
  await installBackends(say);
  return runTests((file) => file.startsWith("test/backends/") && containsOneOf(parts)(file));
});
