/** The command that asks posthog-node again: it finds what is wrong, and changes nothing else. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support/processes.mjs";
import { temporaryFolder } from "../support/worker.mjs";
import { REFERENCE, requireReference } from "./evaluator.mjs";
import { COPY } from "./files.mjs";

const COMMAND = fileURLToPath(new URL("regenerate.mjs", import.meta.url));
const folders = [];
after(() => folders.forEach(({ remove }) => remove()));

/** A folder with copies of some files, their texts changed, and with the index of those files. */
function folderWith(texts) {
  const folder = temporaryFolder("regenerate");
  folders.push(folder);
  const index = JSON.parse(readFileSync(join(COPY, "index.json"), "utf8"));
  const lines = Object.keys(texts).map((file) => `  "${file}": ${JSON.stringify(index[file]).replaceAll('":', '": ').replaceAll(',"', ', "')}`);
  writeFileSync(join(folder.path, "index.json"), `{\n${lines.join(",\n")}\n}\n`);
  for (const [file, change] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true });
    copyFileSync(join(COPY, file), join(folder.path, file));
    const text = original(file);
    const changed = change(text);
    if (change !== keep) assert.notEqual(changed, text, `${file} has nothing to change`);
    writeFileSync(join(folder.path, file), changed);
  }
  return folder.path;
}

const keep = (text) => text;
const original = (file) => readFileSync(join(COPY, file), "utf8");
const regenerate = (folder, ...args) => run("regenerate", process.execPath, [COMMAND, "--folder", folder, ...args]);

/** One wrong answer in a file of each kind, and what the command says of it. */
const WRONG = {
  "posthog-python.json": [(text) => text.replace('"expected":{"status":"value","value":true}', '"expected":{"status":"inconclusive","reason":"missing_context"}'), /"reason":"missing_context"} -> {"status":"value","value":true}/],
  "posthog-rs.properties.json": [(text) => text.replace('"expected":"inconclusive","reason":"missing_context"', '"expected":true'), /: true -> "missing_context"/],
  "posthog-convex.properties.json": [(text) => text.replace('"expected":false', '"expected":"inconclusive","reason":"missing_context"'), /: "missing_context" -> false/],
  "tables/presence-and-unknown.json": [(text) => text.replace(/"(t+)m"/, '"$1f"'), /"t+f" -> "t+m"/],
  "bulk/hash-1.json": [(text) => text.replace('["distinct_id_3",false]', '["distinct_id_3",true]'), /distinct_id_3: true -> false/],
  "hash-primitives.json": [(text) => text.replace("0.4357368498163313", "0.4357368498163312"), /flag\.user: 0\.4357368498163312 -> 0\.4357368498163313/],
};

for (const [file, [spoil, message]] of Object.entries(WRONG)) {
  test(`a wrong answer in ${file} is found by --check, and put right without it`, async () => {
    const folder = folderWith({ [file]: spoil });
    const spoiled = readFileSync(join(folder, file), "utf8");
    const checked = await regenerate(folder, "--check");
    assert.equal(checked.code, 1, checked.stdout + checked.stderr);
    assert.match(checked.stdout, message);
    assert.match(checked.stdout, /, [1-9]\d* would change, /);
    assert.equal(readFileSync(join(folder, file), "utf8"), spoiled, "--check writes nothing");

    const written = await regenerate(folder);
    assert.equal(written.code, 0, written.stdout + written.stderr);
    assert.equal(readFileSync(join(folder, file), "utf8"), original(file), "the file is what it was, byte for byte");
    assert.equal((await regenerate(folder, "--check")).code, 0);
  });
}

test("the index follows a vector that is added with any expected answer", async () => {
  const file = "posthog-rs.json";
  const folder = folderWith({ [file]: keep, "posthog-rs.properties.json": keep });
  const vector = '{"id":"added","source":"this test","definitions":{"flags":[{"key":"a","active":true,"filters":{"payloads":{"true":"[1.0]"},"groups":[{"rollout_percentage":100.0}]}}]},"context":{"distinct_id":"u","groups":{},"person_properties":{},"group_properties":{}},"flag_key":"a","expected":{"status":"unknown_flag"}}';
  writeFileSync(join(folder, file), original(file).replace(/\n\]\s*$/, `,\n${vector}\n]\n`));
  assert.equal((await regenerate(folder, file)).code, 0);
  const right = vector.replace('{"status":"unknown_flag"}', '{"status":"value","value":true,"payload":[1]}');
  assert.equal(readFileSync(join(folder, file), "utf8"), original(file).replace(/\n\]\s*$/, `,\n${right}\n]\n`));
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  const before = JSON.parse(readFileSync(join(COPY, "index.json"), "utf8"));
  assert.equal(index[file].count, before[file].count + 1);
  assert.notEqual(index[file].sha256, before[file].sha256);
  assert.deepEqual(index["posthog-rs.properties.json"], before["posthog-rs.properties.json"]);
});

test("an index that does not fit the files is found by --check", async () => {
  const folder = folderWith({ "posthog-rs.json": keep });
  writeFileSync(join(folder, "index.json"), readFileSync(join(folder, "index.json"), "utf8").replace(/"count": \d+/, '"count": 1'));
  const { code, stdout } = await regenerate(folder, "--check");
  assert.equal(code, 1);
  assert.match(stdout, /^index\.json does not fit the files$/m);
});

test("what must not be asked is counted and says why", async () => {
  const folder = folderWith({ "special/hazards.json": keep });
  const { code, stdout } = await regenerate(folder, "--check");
  assert.match(stdout, /0 asked, 0 changed, 32 not asked: posthog-node itself fails on them or never returns/);
  assert.equal(code, 1, "a check that asked nothing is no check");
});

for (const [name, message] of [
  ["self dependency with a chain", /posthog-node never returns: the flags depend on each other in a cycle/],
  ["three-flag cycle reached through a cohort", /posthog-node never returns/],
  ["cohorts contain each other", /Maximum call stack size exceeded/],
  ["context object with own toString", /Cannot convert object to primitive value/],
]) {
  test(`an input that posthog-node has no answer to is refused: ${name}`, async () => {
    const hazard = JSON.parse(original("special/hazards.json")).find((vector) => vector.name === name);
    const { oracle, recommended, agree, ...input } = hazard;
    const vector = { ...input, expected: { status: "value", value: true } };
    const folder = folderWith({ "posthog-rs.json": () => JSON.stringify([vector]) });
    const { code, stderr } = await regenerate(folder);
    assert.equal(code, 1);
    assert.match(stderr, message);
    assert.match(stderr, new RegExp(`posthog-rs\\.json: ${hazard.id}: posthog-node has no answer`));
    assert.equal(readFileSync(join(folder, "posthog-rs.json"), "utf8"), JSON.stringify([vector]));
  });
}

test("another version of the reference is refused", () => {
  requireReference();
  assert.throws(() => requireReference({ ...REFERENCE, "posthog-node": "5.70.1" }), /those of posthog-node 5\.70\.1, but 5\.70\.0 is installed/);
  assert.throws(() => requireReference({ ...REFERENCE, "@posthog/core": "1.0.0" }), /those of @posthog\/core 1\.0\.0, but/);
});
