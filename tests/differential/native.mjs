/** The native evaluator, asked through the engine's `oracle` example. */
import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the oracle and gives the path of the program. */
export function buildOracle() {
  execFileSync("cargo", ["build", "--quiet", "--release", "--package", "flagpost-engine", "--example", "oracle"], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  return `${process.env.CARGO_TARGET_DIR ?? `${ROOT}target`}/release/examples/oracle`;
}

/** Starts a program that answers a JSON line with a JSON line. */
export function openOracle(program, env = process.env) {
  const child = spawn(program, { env, stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [];
  let pending = "";
  let ended;
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    const lines = (pending + chunk).split("\n");
    pending = lines.pop();
    for (const line of lines) waiting.shift().resolve(line);
  });
  child.stdin.on("error", () => {});
  child.on("error", (error) => stop(error)).on("exit", (code, signal) => stop(new Error(`the native evaluator ended with ${signal ?? `code ${code}`}`)));
  function stop(error) {
    ended = error;
    for (const { reject } of waiting.splice(0)) reject(error);
  }

  async function ask(question) {
    if (ended) throw ended;
    const line = await new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${question}\n`);
    });
    const answer = JSON.parse(line);
    if (answer.error !== undefined) throw new Error(`the native evaluator: ${answer.error}`);
    return answer;
  }

  return {
    ask: (question) => ask(JSON.stringify(question)),
    /** The answers to a `questionOf`: for each user those of all flags in order, as the npm package gives them. */
    answers: async (question) => (await ask(question)).map((flags) => flags.map(answerOf)),
    close: () => child.stdin.end(),
    kill: () => child.kill(),
  };
}

/** Definitions and users as a line for the oracle. */
export function questionOf({ text, contexts, now, users }) {
  return JSON.stringify({ definitions: text, contexts: contexts ?? [], now, users: users.map(userText) });
}

function answerOf({ value, payload, unresolved }) {
  if (unresolved !== undefined) return { unresolved };
  const plain = typeof value === "object" ? JSON.parse(value.json) : value;
  return payload === undefined ? { value: plain } : { value: plain, payload: JSON.parse(payload) };
}

/** A user as JSON text in which `{"$js": …}` stands for what JSON cannot carry. */
function userText({ distinctId, groups, personProperties, groupProperties }) {
  const maps = Object.entries(groupProperties ?? {}).map(([type, properties]) => [type, carried(properties)]);
  return JSON.stringify({ distinctId: scalar(distinctId), groups: groups && carried(groups), personProperties: carried(personProperties ?? {}), groupProperties: Object.fromEntries(maps) });
}

/** An id as JSON; JSON has no -0. */
const scalar = (value) => (Object.is(value, -0) ? 0 : value);

/** A map of properties. Made without a prototype so that `__proto__` is a member like others. */
function carried(properties) {
  const map = Object.create(null);
  for (const key of Object.keys(properties)) map[key] = carry(properties[key], []);
  return map;
}

function carry(value, above) {
  if (typeof value === "number") return Object.is(value, -0) ? { $js: "-0" } : Number.isFinite(value) ? value : { $js: String(value) };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (value === undefined) return { $js: "undefined" };
  if (typeof value === "symbol") return { $js: "symbol", text: String(value) };
  if (value instanceof Date) return { $js: "Date", text: String(value), ms: Number.isNaN(value.valueOf()) ? null : value.valueOf() };
  if (above.includes(value)) return exotic(above[0]);
  const within = [...above, value];
  if (Array.isArray(value)) {
    if (isCyclic(value)) return exotic(value);
    const items = Array.from({ length: value.length }, (_, index) => (index in value ? carry(value[index], within) : null));
    return isJoined(value) ? items : { $js: "styled", text: textOf(value), value: items };
  }
  if (isPlain(value)) {
    const members = Object.create(null);
    for (const key of Object.keys(value)) members[key] = carry(value[key], within);
    const text = textOf(value);
    // What JSON could have made has this text, or none with a member called toString.
    const usual = Object.hasOwn(members, "toString") ? undefined : "[object Object]";
    return text === usual ? members : { $js: "styled", text, value: members };
  }
  return exotic(value);
}

const exotic = (value) => ({ $js: "other", text: textOf(value) });

/** `String(value)`; undefined, which JSON leaves out, where that throws. */
function textOf(value) {
  try {
    return String(value);
  } catch {
    return undefined;
  }
}

const isPlain = (value) => typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value));
const isJoined = (list) => ["toString", "join", Symbol.toPrimitive].every((name) => list[name] === Array.prototype[name]);

function isCyclic(value, above = []) {
  if (typeof value !== "object" || value === null) return false;
  if (above.includes(value)) return true;
  return Object.values(value).some((member) => isCyclic(member, [...above, value]));
}
