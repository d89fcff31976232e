import { fileURLToPath } from "node:url";

/** The page's files: what `npm run build` bundles. */
export const pageDirectory = fileURLToPath(new URL("../../../build/web", import.meta.url));
