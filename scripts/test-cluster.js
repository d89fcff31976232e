import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { clusterNeeds, demoNeeds, testNeeds } from "./lib/packages.js";
import { containsOneOf, runTests } from "./lib/run-tests.js";
import { runScript, say } from "./lib/say.js";

// npm run test:cluster [-- PART OF A PATH ...]: tests against Kubernetes' own programs
await runScript(async () => {
  const parts = process.argv.slice(2);
  await installPackages([...demoNeeds, ...testNeeds, ...clusterNeeds]);
  await build({ withTests: true });
  const { installCluster } = await import("../dist/test/cluster/lib/install-cluster.js");
  const { installHelm } = await import("../dist/test/cluster/lib/install-helm.js");
  const { installContainers } = await import("../dist/test/cluster/lib/install-containers.js");
  await installHelm(say);
  await installContainers(say);
  await installCluster(undefined, say);
  const { buildImage } = await import("../dist/test/cluster/lib/build-image.js");
  await buildImage(say);
  return runTests((file) => file.startsWith("test/cluster/") && containsOneOf(parts)(file));
});
