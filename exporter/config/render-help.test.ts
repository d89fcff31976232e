import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { commands } from "./commands.js";
import { loadConfig } from "./load-config.js";
import { canComeFrom, configurationKey, environmentName } from "./option.js";
import { optionRows, optionsOf } from "./options.js";
import { renderCommandsDocument } from "./render-commands-document.js";
import { renderCommandHelp, renderOverview } from "./render-help.js";
import { renderOptionsDocument } from "./render-options-document.js";

test("every command's help names all its options and no others", () => {
  for (const command of commands) {
    const help = renderCommandHelp(command);
    const named = [...help.matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)].map((match) => match[1]);
    assert.deepEqual(
      named.toSorted(),
      optionsOf(command.name)
        .map(([, option]) => option.flag)
        .toSorted(),
      command.name,
    );
    const long = help.split("\n").filter((line) => line.length > 100);
    assert.deepEqual(long, [], command.name);
  }
  for (const { name } of commands) assert.match(renderOverview("1.2.3"), new RegExp(`^  ${name} `, "m"));
});

test("flags, letters, variables and keys are each used once, and examples and limits are valid", () => {
  for (const { name } of commands) {
    const rows = optionsOf(name).map(([, option]) => option);
    for (const names of [rows.map((row) => row.flag), rows.flatMap((row) => row.short ?? [])])
      assert.equal(new Set(names).size, names.length, `${name}: ${names}`);
  }
  assert.equal(new Set(optionRows.map(([, row]) => environmentName(row))).size, optionRows.length);
  for (const [key, option] of optionRows) {
    const parsed = option.type.parse(option.example);
    assert.ok("value" in parsed, `${key}: its own example is refused: ${"rule" in parsed && parsed.rule}`);
    assert.match(option.help, /\.$/, key);
    if (canComeFrom(option, "file")) assert.match(configurationKey(option), /^[a-z_]+$/);
  }
});

test("docs/options.md and docs/cli.md are what the tables give", () => {
  for (const [name, text] of [
    ["options.md", renderOptionsDocument()],
    ["cli.md", renderCommandsDocument()],
  ] as const) {
    const file = readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");
    assert.ok(file === text, `docs/${name} is old: run \`npm run generate\` and commit the result`);
  }
});

test("the examples of every command are valid", async () => {
  for (const command of commands)
    for (const example of command.examples) {
      const words = example
        .replace(/ \|.*$/, "")
        .replaceAll("'", "")
        .split(" ");
      const [name, ...argv] = words.slice(words.indexOf("skbspan") + 1);
      assert.equal(name, command.name, example);
      // Its file is of another machine.
      await loadConfig(command, argv.includes("--config") ? [] : argv, {});
    }
});
