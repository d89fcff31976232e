import { copyFile, mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Writes the page into a folder: index.html, page.js, page.css, icon.svg; it needs nothing else. */
export async function bundlePage(outputDirectory) {
  await mkdir(outputDirectory, { recursive: true });
  await build({
    entryPoints: { page: `${here}main.tsx` },
    outdir: outputDirectory,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
  for (const file of ["index.html", "icon.svg"]) await copyFile(`${here}${file}`, `${outputDirectory}/${file}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundlePage(fileURLToPath(new URL("../../build/web", import.meta.url)));
}
