/** Commands that are only named in a text: the refresher knows them, and their options. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { refresher } from "../support/refresher.mjs";
import { ROOT } from "../support/worker.mjs";

const pages = ["README.md", "js/README.md", ...readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
const helps = new Map();

/** Code in the text and lines of snippets, as commands with their options. */
function commandsOf(page) {
  const text = readFileSync(join(ROOT, page), "utf8");
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  const lines = [...text.matchAll(/^ *```.*?^ *```$/gms)].flatMap(([snippet]) => snippet.split("\n")).map((line) => line.trim().replace(/ #.*/, ""));
  return [...spans, ...lines].flatMap((line) => [...line.matchAll(/(?:^|&& |target\/release\/)refresher ([a-z]+)([^&|#]*)/g)])
    .map(([, command, rest]) => ({ command, options: rest.match(/(?<= )--[a-z-]+/g) ?? [] }));
}

async function helpOf(command) {
  if (!helps.has(command)) helps.set(command, await refresher([command, "--help"]));
  return helps.get(command);
}

for (const page of pages) {
  const commands = commandsOf(page);
  if (commands.length === 0) continue;
  test(`the refresher knows every command and option that ${page} names`, async () => {
    for (const { command, options } of commands) {
      const { code, stdout } = await helpOf(command);
      assert.equal(code, 0, `refresher ${command}`);
      for (const option of options) assert.match(stdout, new RegExp(`${option}\\b`), `refresher ${command} ${option}`);
    }
  });
}
