/** Builds the oracle once with all mutants in it, each behind a number. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SWITCH = `
/// Which mutant this program is; 0 is the evaluator itself.
pub mod mutant {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ACTIVE: AtomicUsize = AtomicUsize::new(0);
    pub fn choose(number: usize) {
        ACTIVE.store(number, Ordering::Relaxed);
    }
    pub(crate) fn is(number: usize) -> bool {
        ACTIVE.load(Ordering::Relaxed) == number
    }
}
`;

/**
 * @param {string[][]} mutants as in mutants.mjs; the first is number 1
 * @returns the path of a program whose environment variable FLAGPOST_MUTANT chooses the mutant
 */
export function buildMutants(mutants) {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const folder = join(target, "mutants");
  rmSync(join(folder, "engine"), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, "engine"), join(folder, "engine"), { recursive: true });
  cpSync(join(ROOT, "Cargo.lock"), join(folder, "Cargo.lock"));
  edit(join(ROOT, "Cargo.toml"), (text) => once(text, /^members = .*$/m, 'members = ["engine"]'), join(folder, "Cargo.toml"));

  const source = (file) => join(folder, "engine/src", file);
  for (const [file, changes] of byFile(mutants)) {
    edit(source(file), (text) => insertAll(text, changes));
  }
  edit(source("lib.rs"), (text) => text + SWITCH);
  edit(join(folder, "engine/examples/oracle/main.rs"), (text) =>
    once(text, /fn main\(\) -> .* \{\n/, (head) => `${head}    flagpost_engine::mutant::choose(std::env::var("FLAGPOST_MUTANT")?.parse()?);\n`));
  execFileSync("cargo", ["build", "--quiet", "--package", "flagpost-engine", "--example", "oracle"], {
    cwd: folder,
    env: { ...process.env, CARGO_TARGET_DIR: join(folder, "target"), CARGO_PROFILE_DEV_OPT_LEVEL: "2", CARGO_PROFILE_DEV_DEBUG: "0", RUSTFLAGS: "--cap-lints warn -A warnings" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return join(folder, "target/debug/examples/oracle");
}

/** Pairs of a file and its mutants with their numbers. */
function byFile(mutants) {
  const files = new Map();
  for (const [index, mutant] of mutants.entries()) files.set(mutant[1], [...(files.get(mutant[1]) ?? []), { mutant, number: index + 1 }]);
  return files;
}

function edit(path, change, to = path) {
  writeFileSync(to, change(readFileSync(path, "utf8")));
}

function once(text, pattern, replacement) {
  if (!pattern.test(text)) throw new Error(`the mutants cannot be built: ${pattern} is not there`);
  return text.replace(pattern, replacement);
}

/** Puts every mutated expression beside its original one. */
function insertAll(text, changes) {
  const places = changes.map(({ mutant, number }) => placeOf(text, mutant, number)).sort((left, right) => left.start - right.start);
  let changed = "";
  let end = 0;
  for (const { start, original, mutated, number, rule } of places) {
    if (start < end) throw new Error(`mutant "${rule}": its place overlaps with another's`);
    changed += `${text.slice(end, start)}(if crate::mutant::is(${number}) { ${mutated} } else { ${original} })`;
    end = start + original.length;
  }
  return changed + text.slice(end);
}

function placeOf(text, [rule, file, place, mutated], number) {
  const [before, original, after] = place.split(/[«»]/);
  const whole = before + original + after;
  const at = text.indexOf(whole);
  if (at < 0 || text.includes(whole, at + 1)) throw new Error(`mutant "${rule}": its place occurs ${at < 0 ? "nowhere" : "more than once"} in ${file}: ${whole}`);
  return { start: at + before.length, original, mutated, number, rule };
}
