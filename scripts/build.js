import { build } from "./lib/build.js";
import { runScript } from "./lib/say.js";

// npm run build
await runScript(() => build());
