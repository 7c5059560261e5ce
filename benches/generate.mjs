/** Definitions, users and stored forms from the seeded generator, written to folders for all runtimes. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { FILES, LOADED } from "./inputs.mjs";

const ASKED = 10;
/** A prime number of users, so that every user meets every flag that is asked for in turn. */
const USERS = 251;
const MODEL_SIZE = 1000;

const beside = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The generator: $FLAGPOST_BENCH/gen.mjs, else the one in ../shared/bench beside the project. */
async function generator() {
  const folder = process.env.FLAGPOST_BENCH ?? beside("../../shared/bench");
  const file = join(folder, "gen.mjs");
  if (!existsSync(file)) throw new Error(`no gen.mjs in ${folder}: set FLAGPOST_BENCH to the folder of the definitions generator`);
  return import(pathToFileURL(file).href);
}

/** The refresher, which makes snapshots: $FLAGPOST_REFRESHER, else target/release/refresher. */
function refresher() {
  const program = process.env.FLAGPOST_REFRESHER ?? beside("../target/release/refresher");
  if (!existsSync(program)) throw new Error(`${program} is missing: run make build, or set FLAGPOST_REFRESHER to a refresher`);
  return program;
}

/**
 * Writes the files of inputs.mjs for each size.
 *
 * @param {string} folder an empty one
 * @returns {Promise<Record<number, string>>} the folder of each size
 */
export async function writeInputs(folder, sizes) {
  const { genDefinitions, genUsers } = await generator();
  const program = refresher();
  const asked = askedFlags(genDefinitions(MODEL_SIZE).flags);
  const written = {};
  for (const size of sizes) {
    const definitions = genDefinitions(size);
    const keys = size <= ASKED ? definitions.flags.map(({ key }) => key) : asked.map(({ key }) => key);
    if (size > ASKED && size !== MODEL_SIZE) replaceLast(definitions.flags, asked);
    const into = join(folder, String(size));
    mkdirSync(into);
    const { flags, group_type_mapping: groupTypeMapping, cohorts, property_matching_version: propertyMatchingVersion } = definitions;
    const count = size > MODEL_SIZE ? 5 : 20;
    const checked = { full: genUsers(count, { seed: 11 }), sparse: genUsers(count, { seed: 12, sparse: true }) };
    const texts = {
      definitions: JSON.stringify(definitions),
      row: JSON.stringify({ flags, groupTypeMapping, cohorts, propertyMatchingVersion }),
      people: JSON.stringify({ keys, users: genUsers(USERS), checked }),
    };
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(into, FILES[name]), text);
    for (const [index, name] of [FILES.snapshot, ...LOADED].entries()) {
      // White space behind the definitions makes snapshots of other bytes and the same meaning.
      execFileSync(program, ["compile", "-", "--output", join(into, name)], { input: texts.definitions + " ".repeat(index), stdio: ["pipe", "ignore", "inherit"] });
    }
    written[size] = into;
  }
  return written;
}

/**
 * The flags that are asked for one at a time, and ten at a time: spread over the 1,000, active, without
 * cohorts and dependencies, so that the same ten can be asked for in definitions of every size.
 */
function askedFlags(flags) {
  const alone = flags.filter(({ key, active, ensure_experience_continuity: continuity, filters }) => {
    const types = filters.groups.flatMap(({ properties }) => properties.map(({ type }) => type));
    return active && !continuity && /-\d+$/.test(key) && !types.includes("cohort") && !types.includes("flag");
  });
  return Array.from({ length: ASKED }, (_, index) => alone[Math.floor(((index + 0.5) * alone.length) / ASKED)]);
}

/** No flag depends on a later one, so the last ones can go. */
function replaceLast(flags, others) {
  flags.splice(flags.length - others.length, others.length, ...others);
  const keys = new Set(flags.map(({ key }) => key));
  if (keys.size < flags.length) throw new Error("the flags asked for have keys that others have: choose other ones in generate.mjs");
}
