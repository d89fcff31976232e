import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findMirrors } from "./find-mirrors.js";

/** Writes files below an apt folder of its own and gives what is found in it. */
async function find(files: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv = {}) {
  const folder = await mkdtemp(join(tmpdir(), "skbspan-mirrors-"));
  try {
    await mkdir(join(folder, "sources.list.d"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await findMirrors(folder, environment);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("reads one-line sources, with options, comments and a slash at the end", async () => {
  const text = [
    "# deb http://old.example/debian bookworm main",
    "deb-src http://source.example/debian bookworm main",
    "deb [arch=amd64 signed-by=/k.gpg] http://near.example/debian/ bookworm main contrib",
    "deb http://near.example/debian-security bookworm-security main",
  ].join("\n");
  assert.deepEqual(await find({ "sources.list": text }), {
    main: "http://near.example/debian",
    security: "http://near.example/debian-security",
  });
});

test("reads deb822 sources: several suites, lines that go on, paragraphs that are switched off", async () => {
  const text = [
    "Types: deb\nURIs: http://off.example/debian\nSuites: bookworm\nEnabled: no\n",
    "# near\nTypes: deb deb-src\nURIs:\n http://near.example/debian\nSuites: bookworm\n bookworm-updates\nComponents: main\n",
    "Types: deb\nURIs: http://safe.example/debian-security\nSuites: bookworm-security\nComponents: main\n",
  ].join("\n");
  assert.deepEqual(await find({ "sources.list.d/debian.sources": text }), {
    main: "http://near.example/debian",
    security: "http://safe.example/debian-security",
  });
});

test("does not take another archive's mirror for Debian's, and says what to set", async () => {
  const files = {
    "sources.list": "deb http://near.example/ubuntu noble main\ndeb http://near.example/debian-extra any main\n",
  };
  await assert.rejects(find(files), /names no Debian mirror\. Set SKBSPAN_DEBIAN_MIRROR/);
  const environment = { SKBSPAN_DEBIAN_MIRROR: "http://chosen.example/debian/" };
  assert.deepEqual(await find(files, environment), { main: "http://chosen.example/debian", security: undefined });
});
