/** The differences that docs/parity.md lists, asked of posthog-node and of Flagpost. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { evaluateFlag, load } from "flagpost";
import { DIFFERENCES } from "./differences.mjs";
import { openEvaluator } from "./reference.mjs";

/** Long enough for posthog-node to start and answer anything that it answers. */
const NEVER_MS = 4000;
const page = readFileSync(new URL("../../docs/parity.md", import.meta.url), "utf8");

async function reference({ text, definitions, contexts, fromCache, key = "f", user }) {
  const evaluator = await openEvaluator({ text: text ?? JSON.stringify(definitions), contexts, fromCache });
  return evaluator ? evaluator.one(key, user) : { loads: false };
}

function flagpost({ text, definitions, contexts, key = "f", user }) {
  try {
    return evaluateFlag(load(text ?? JSON.stringify(definitions), { evaluationContexts: contexts }), key, user);
  } catch (error) {
    return error.code ? { refused: error.code } : { threw: String(error) };
  }
}

/** Whether a process of its own, which says that it asks, has no answer in time, or runs out of memory. */
function neverAnswers({ definitions, user }) {
  const script = `
    import { openEvaluator } from ${JSON.stringify(new URL("reference.mjs", import.meta.url).href)};
    const { text, user } = JSON.parse(process.argv[1]);
    const evaluator = await openEvaluator({ text });
    console.log("asking");
    console.log("answered", await evaluator.one("f", user));`;
  const child = spawn(process.execPath, ["--max-old-space-size=256", "--input-type=module", "--eval", script, "--", JSON.stringify({ text: JSON.stringify(definitions), user })], { stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve) => {
    let said = "";
    child.stdout.on("data", (data) => (said += data));
    const timer = setTimeout(() => child.kill("SIGKILL"), NEVER_MS);
    child.on("close", (_code, signal) => {
      clearTimeout(timer);
      resolve(said.trim() === "asking" && ["SIGKILL", "SIGABRT"].includes(signal));
    });
  });
}

for (const { row, questions } of DIFFERENCES) {
  test(row, async (context) => {
    context.mock.method(console, "warn", () => {});
    assert.ok(page.includes(`| ${row} |`), `docs/parity.md has no row "${row}"`);
    for (const question of questions) {
      if (question.node.never) assert.ok(await neverAnswers(question), "posthog-node answers");
      else assert.deepEqual(await reference(question), question.node, "posthog-node");
      assert.deepEqual(flagpost(question), question.flagpost, "Flagpost");
    }
  });
}

test("the page lists no difference that is not asked for here, those about time zones, Unicode and timing excepted", () => {
  const rows = [...page.split("## Known differences")[1].split("\n## ")[0].matchAll(/^\| (.+?) \|/gm)].map(([, row]) => row);
  const asked = DIFFERENCES.map(({ row }) => row);
  assert.deepEqual(rows.filter((row) => !asked.includes(row) && !/^(what|---)/.test(row)), ["flags asked for together, one of them with a loose dependency", "flags asked for together that throw", "rollouts and holdouts of 0 percent", "local times, natively", "letters newer than a runtime's Unicode, natively"]);
});
