/** A page of docs/ as what a reader does with it: files to write, commands to run, output to see. */
import { readFileSync } from "node:fs";

/**
 * What the fences of a page are:
 *
 * - `sh`: commands. With `server` behind it: one that goes on running; with `account`: what needs one
 * - `text` right after a `sh`: what it prints
 * - `text` after a line "Open <ADDRESS>:": what the page at that address says
 * - anything else: a file, if the line before ends with its name, as in "`app.mjs`:"
 *
 * @returns {{ line: number, kind: "file" | "sh" | "server" | "account" | "open", name?: string, text: string, output?: string }[]}
 * @throws where a fence is none of these: a snippet that nothing would run
 */
export function stepsOf(path) {
  const lines = readFileSync(path, "utf8").split("\n");
  const steps = [];
  let before = "";
  for (let at = 0; at < lines.length; at++) {
    const fence = lines[at].match(/^```(\w+) ?(.*)$/);
    if (fence === null) {
      if (lines[at].trim() !== "") before = lines[at];
      continue;
    }
    const [, language, word] = fence;
    const end = lines.indexOf("```", at);
    const text = `${lines.slice(at + 1, end).join("\n")}\n`;
    if (language === "text" && before === "" && steps.at(-1)?.kind === "sh") {
      steps.at(-1).output = text;
    } else {
      const step = stepOf(language, word, text, before);
      if (step === undefined) throw new Error(`${path}:${at + 1}: nothing runs this ${language} snippet`);
      steps.push({ line: at + 1, ...step });
    }
    [before, at] = ["", end];
  }
  return steps;
}

function stepOf(language, word, text, before) {
  if (language === "sh" && ["", "server", "account"].includes(word)) return { kind: word || "sh", text };
  const address = before.match(/^Open <(.*)>:$/)?.[1];
  if (language === "text" && address !== undefined) return { kind: "open", name: address, text };
  const name = before.match(/`([\w./-]+)`:$/)?.[1];
  return name === undefined || word !== "" ? undefined : { kind: "file", name, text };
}
