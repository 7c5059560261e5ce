/** What every project of these tests asks, and what posthog-node says to it. */
import { readFileSync } from "node:fs";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { openReference } from "../support/reference.mjs";
import { FIXTURE_USERS } from "../support/users.mjs";

export const definitions = readFileSync(new URL("../fixtures/definitions.json", import.meta.url), "utf8");
export const snapshot = compiledSnapshot({ checked_at: "2024-05-01T10:00:00Z" }, JSON.parse(definitions));

/** posthog-node's answers for all users of the fixtures, as they are after a trip through JSON. */
export async function askReference() {
  const reference = openReference({ definitions });
  const answers = await Promise.all(FIXTURE_USERS.map((user) => reference.evaluate(user)));
  await reference.close();
  return JSON.parse(JSON.stringify(answers));
}

/**
 * JavaScript of a function `answers`, which gives the answers for the same users as JSON. Everything is in the
 * script, so that it needs no permission to read.
 */
export const asking = {
  flagpost: script(`new TextEncoder().encode(${JSON.stringify(definitions)})`),
  "flagpost/slim": script(`Uint8Array.from(atob("${Buffer.from(snapshot).toString("base64")}"), (letter) => letter.charCodeAt(0))`),
};

function script(bytes) {
  return `
    function answers() {
      const definitions = load(${bytes});
      return JSON.stringify(${JSON.stringify(FIXTURE_USERS)}.map((user) => evaluate(definitions, user)));
    }
  `;
}

/** The same as a whole ES module, which then does what `use` says. */
export const askingModule = (name, use) => `import { evaluate, load } from ${JSON.stringify(name)};${asking[name]}${use}`;
