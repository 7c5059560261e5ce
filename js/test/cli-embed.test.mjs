import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { evaluateFlag } from "flagpost";
import { folder } from "./cli.mjs";
import { isWhole } from "./cli-parts.mjs";
import { compiledSnapshot } from "./compiler.mjs";
import { definitions, flag } from "./definitions.mjs";
import { snapshot, xxh64 } from "./snapshot.mjs";

const DAY_MS = 86_400_000;
const header = (ageMs = 0) => ({ format: 1, checked_at: new Date(Date.now() - ageMs).toISOString() });
const fresh = () => compiledSnapshot(header(), definitions(flag("on"), flag("other")));

test("the module's default export is the snapshot as base64, and its typings say so", async (context) => {
  const { flagpost, write, tsc, path } = folder(context);
  const bytes = fresh();
  write("flags.snapshot", bytes);
  for (const name of ["flags.mjs", "more.js", "typed.ts", "typed.mts"]) {
    const { code, stdout, stderr } = await flagpost(["embed", "flags.snapshot", "-o", name]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, new RegExp(`^${name}: 2 flags, ${(bytes.length / 1000).toFixed(1)} kB \\(.* as base64\\), \\d+ minutes old\\n$`));
  }
  assert.deepEqual(readdirSync(path).sort(), ["flags.d.mts", "flags.mjs", "flags.snapshot", "more.d.ts", "more.js", "typed.mts", "typed.ts"]);
  const { default: text } = await import(pathToFileURL(join(path, "flags.mjs")).href);
  assert.deepEqual(new Uint8Array(Buffer.from(text, "base64")), bytes);
  assert.deepEqual(evaluateFlag(Buffer.from(text, "base64"), "on", { distinctId: "u" }), { value: true });
  write("package.json", '{ "type": "module" }');
  const names = ["flags.mjs", "more.js", "typed.js", "typed.mjs"];
  write("use.ts", `${names.map((name, index) => `import s${index} from "./${name}";`).join("\n")}\n[s0, s1, s2, s3] satisfies string[];\n// @ts-expect-error it is no number\ns0 satisfies number;\n`);
  assert.equal(await tsc({}, "use.ts", "typed.ts", "typed.mts"), "");
});

test("a snapshot of which any byte was changed, or that was cut, replaces nothing", async (context) => {
  const { flagpost, write, read } = folder(context);
  write("flags.mjs", "before");
  const bytes = fresh();
  for (const at of [9, 30, 70, bytes.length >> 1, bytes.length - 30, bytes.length - 1]) {
    const changed = bytes.slice();
    changed[at] ^= 4;
    write("changed.snapshot", changed);
    write("cut.snapshot", bytes.slice(0, at));
    for (const name of ["changed.snapshot", "cut.snapshot"]) {
      const { code, stdout, stderr } = await flagpost(["embed", name, "-o", "flags.mjs"]);
      assert.deepEqual([code, stdout], [3, ""], `${name} at ${at}`);
      assert.match(stderr, /^flagpost: the snapshot is damaged .*\n$/);
    }
  }
  assert.equal(read("flags.mjs"), "before");
});

test("the checksum is that of the tests' own writer, for every length up to two stripes and for a long one", () => {
  for (const length of [...Array(70).keys(), 100_003]) {
    const bytes = Uint8Array.from({ length: length + 8 }, (_, index) => (index * 151 + length) & 255);
    new DataView(bytes.buffer).setBigUint64(length, xxh64(bytes.subarray(0, length)), true);
    assert.equal(isWhole(bytes), true, `length ${length}`);
    bytes[length] ^= 1;
    assert.equal(isWhole(bytes), false, `length ${length}`);
  }
  assert.equal(isWhole(new Uint8Array(7)), false);
});

test("what is no snapshot is refused with what to do: definitions, a sealed nothing, another name", async (context) => {
  const { flagpost, write, path } = folder(context);
  write("definitions.json", JSON.stringify(definitions(flag("on"))));
  write("nothing.snapshot", snapshot(header(), {}, {}, []));
  write("no-flags.snapshot", snapshot(header(), { flag: [] }));
  write("good.snapshot", fresh());
  const ends = [
    [["definitions.json", "-o", "x.mjs"], 3, /refresher compile FILE -o SNAPSHOT/],
    [["nothing.snapshot", "-o", "x.mjs"], 3, /damaged/],
    [["no-flags.snapshot", "-o", "x.mjs"], 3, /no `flags`/],
    [["good.snapshot"], 2, /a file to write/],
    [["good.snapshot", "-o", "x.cjs"], 2, /ends with \.mjs, \.js/],
    [["good.snapshot", "-o", "x.d.ts"], 2, /ends with \.mjs, \.js/],
    [["good.snapshot", "-o", "none/x.mjs"], 4, /cannot be written/],
  ];
  for (const [args, code, message] of ends) {
    const ended = await flagpost(["embed", ...args]);
    assert.deepEqual([ended.code, ended.stdout], [code, ""], args.join(" "));
    assert.match(ended.stderr, /^flagpost: .*\n$/);
    assert.match(ended.stderr, message);
  }
  assert.equal(readdirSync(path).length, 4);
});

test("a snapshot that is older than a day, or that flagpost/slim cannot load, is written with a warning", async (context) => {
  const { flagpost, write, read } = folder(context);
  write("old.snapshot", compiledSnapshot(header(3.5 * DAY_MS), definitions(flag("on"))));
  write("plain.snapshot", snapshot(header(), definitions(flag("on"))));
  const old = await flagpost(["embed", "old.snapshot", "-o", "old.mjs"]);
  assert.equal(old.code, 0);
  assert.match(old.stdout, /3 days old/);
  assert.match(old.stderr, /^flagpost: warning: the snapshot is older than a day.*\n$/);
  const plain = await flagpost(["embed", "plain.snapshot", "-o", "plain.mjs"]);
  assert.equal(plain.code, 0);
  assert.match(plain.stderr, /^flagpost: warning: .*flagpost\/slim.*\n$/);
  assert.match(read("plain.mjs"), /export default/);
});

test("a header's odd texts do not lead out of the module's comment", async (context) => {
  const { flagpost, write, read, path } = folder(context);
  write("odd.snapshot", compiledSnapshot({ checked_at: "2024\nthrow new Error()//" }, definitions(flag("a\nb"))));
  const { code, stderr } = await flagpost(["embed", "odd.snapshot", "-o", "odd.mjs"]);
  assert.equal(code, 0);
  assert.match(stderr, /older than a day/);
  assert.match(read("odd.mjs"), /current at an unknown time/);
  await import(pathToFileURL(join(path, "odd.mjs")).href);
});
