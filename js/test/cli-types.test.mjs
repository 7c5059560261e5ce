import assert from "node:assert/strict";
import { readFileSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { load } from "flagpost";
import { folder, typesOf } from "./cli.mjs";
import { compiledSnapshot } from "./compiler.mjs";
import { definitions, flag } from "./definitions.mjs";

const FIXTURES = readFileSync(new URL("../../tests/fixtures/definitions.json", import.meta.url), "utf8");
const HEADER = { checked_at: "2024-05-01T10:00:00Z" };

const variants = (...shares) => ({ multivariate: { variants: shares.map(([key, rollout_percentage]) => ({ key, rollout_percentage })) } });

/** What `flagpost types` writes for flags. */
async function written(context, flags, ...options) {
  const { code, stdout, stderr } = await folder(context).flagpost(["types", "-", ...options], { input: JSON.stringify(definitions(...flags)) });
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

async function valueType(context, more, ...options) {
  return typesOf(await written(context, [{ ...flag("f"), ...more }], ...options), '"f"').value;
}

async function payloadType(context, payloads, more = {}) {
  const filters = { groups: [], payloads, ...variants(...Object.keys(payloads).map((key) => [key, 100])) };
  return typesOf(await written(context, [{ ...flag("f"), filters, ...more }]), '"f"').payload;
}

test("a flag is boolean, and with variants false or one of them", async (context) => {
  assert.equal(await valueType(context, {}), "boolean");
  const filters = { groups: [], ...variants(["test", 50], ["control", 50]) };
  assert.equal(await valueType(context, { filters }), 'false | "control" | "test"');
});

test("variants that leave some users over make true possible, thirds that are rounded do not", async (context) => {
  const of = (...shares) => valueType(context, { filters: { groups: [], ...variants(...shares.map((share, index) => [`v${index}`, share])) } });
  assert.equal(await of(33.33, 33.33, 33.34), 'false | "v0" | "v1" | "v2"');
  assert.equal(await of(60, 60), 'false | "v0" | "v1"');
  assert.equal(await of(50, 49.9), 'boolean | "v0" | "v1"');
  assert.equal(await of("50", "50"), 'false | "v0" | "v1"');
  assert.equal(await of("abc", 100), 'boolean | "v0" | "v1"');
  assert.equal(await of(0, 0), 'boolean | "v0" | "v1"');
});

test("a variant without a name is true, one whose key is no text makes any text possible", async (context) => {
  assert.equal(await valueType(context, { filters: { groups: [], ...variants(["", 50], ["b", 50]) } }), 'boolean | "b"');
  assert.equal(await valueType(context, { filters: { groups: [], ...variants([5, 50], ["b", 50]) } }), "boolean | string");
  assert.equal(await valueType(context, { filters: { groups: [], multivariate: { variants: "ab" } } }), "boolean | string");
});

test("who is held out gets a name, by the old rule of PostHog's server as well", async (context) => {
  const holdout = (id) => ({ holdout: { id, exclusion_percentage: 10 } });
  assert.equal(await valueType(context, { filters: { groups: [], ...holdout(7) } }), 'boolean | "holdout-7"');
  assert.equal(await valueType(context, { filters: { groups: [], ...holdout([7]) } }), "boolean | string");
  assert.equal(await valueType(context, { filters: { groups: [], holdout_groups: [{ variant: "holdout-3" }] } }), 'boolean | "holdout-3"');
});

test("a flag that is switched off has the type it has when it is on, unless that is not wanted", async (context) => {
  const more = { active: false, filters: { groups: [], ...variants(["a", 100]), payloads: { a: "1" } } };
  assert.equal(await valueType(context, more), 'false | "a"');
  assert.equal(await valueType(context, more, "--off-is-false"), "false");
});

test("of a key that is defined twice both definitions count", async (context) => {
  const twice = [flag("f", [], variants(["a", 100])), flag("f", [], variants(["b", 100]))];
  assert.equal(typesOf(await written(context, twice), '"f"').value, 'false | "a" | "b"');
});

test("a payload's type is that of its JSON, or of text that is no JSON", async (context) => {
  assert.equal(await payloadType(context, { a: "5" }), "number");
  assert.equal(await payloadType(context, { a: "plain" }), "string");
  assert.equal(await payloadType(context, { a: "plain", b: "5", c: "true" }), "boolean | number | string");
  assert.equal(await payloadType(context, { a: "[1, null]" }), "(number | null)[]");
  assert.equal(await payloadType(context, { a: "[]" }), "unknown[]");
  assert.equal(await payloadType(context, { a: '{"list":[{"x":1},{"x":2,"y":"z"}]}' }), '{ "list": { "x": number; "y"?: string }[] }');
  assert.equal(await payloadType(context, { a: { raw: true } }), '{ "raw": boolean }');
  assert.equal(await payloadType(context, { a: "null", b: "" }), "undefined");
  assert.equal(await payloadType(context, { a: "{}" }), "{ [key: string]: unknown }");
});

test("payloads of several variants are one object, whose members are optional where one lacks them", async (context) => {
  const payloads = { a: '{"discount":0.2,"badge":"x"}', b: '{"discount":"half"}' };
  assert.equal(await payloadType(context, payloads), '{ "badge"?: string; "discount": number | string }');
  // Where the member is missing, something else is read.
  assert.equal(await payloadType(context, { a: '{"toString":"x"}', b: "{}" }), '{ "toString"?: unknown }');
  assert.equal(await payloadType(context, { a: '{"toString":"x"}' }), '{ "toString": string }');
});

test("payloads that no value has do not count, encrypted ones are unknown", async (context) => {
  const filters = { groups: [], ...variants(["a", 100]), payloads: { a: "1", gone: '"text"', true: "[]" } };
  assert.equal(typesOf(await written(context, [{ ...flag("f"), filters }]), '"f"').payload, "number");
  assert.equal(await payloadType(context, { a: "1" }, { has_encrypted_payloads: true }), "unknown");
});

test("payloads that are deep, wide or have many parts are described up to a limit", async (context) => {
  const nested = (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  assert.match(await payloadType(context, { a: nested(8) }), /number/);
  assert.match(await payloadType(context, { a: nested(9) }), /"a": unknown/);
  assert.match(await payloadType(context, { a: nested(100) }), /"a": unknown/);
  const members = (count, value) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, value]));
  assert.match(await payloadType(context, { a: JSON.stringify(members(200, 1)) }), /"m199": number/);
  assert.equal(await payloadType(context, { a: JSON.stringify(members(201, 1)) }), "{ [key: string]: unknown }");
  assert.equal(await payloadType(context, { a: JSON.stringify(members(30, members(40, 1))) }), "unknown");
});

test("descriptions become comments out of which nothing leads", async (context) => {
  const named = async (name) => /\n {2}(.*)\n {2}"f"/.exec(await written(context, [{ ...flag("f"), name }]))?.[1];
  assert.equal(await named("  On  for\nfriends "), "/** On for friends */");
  assert.equal(await named("a */ export const x = 1; /*"), "/** a *\\/ export const x = 1; /* */");
  assert.equal(await named("@deprecated {@link x}"), "/** \\@deprecated {\\@link x} */");
  assert.equal(await named("left\u202eright\u2028\u0007 me@here"), "/** leftright me@here */");
  assert.equal(await named("x".repeat(300)), `/** ${"x".repeat(200)}… */`);
});

test("the order of flags, variants and members in the definitions does not matter, nor do rollouts", async (context) => {
  const { flags } = JSON.parse(FIXTURES);
  const turned = structuredClone(flags).reverse();
  for (const { filters } of turned) {
    filters.multivariate?.variants.reverse();
    for (const group of filters.groups) group.rollout_percentage = 12;
  }
  assert.equal(await written(context, turned), await written(context, flags));
});

test("a snapshot, its definitions, and the older key style give the same", async (context) => {
  const { flagpost, write } = folder(context);
  const { flags, group_type_mapping: groupTypeMapping, cohorts } = JSON.parse(FIXTURES);
  write("flags.snapshot", compiledSnapshot(HEADER, JSON.parse(FIXTURES)));
  write("definitions.json", `\ufeff${FIXTURES}`);
  write("cache.json", JSON.stringify({ flags, groupTypeMapping, cohorts }));
  const [first, ...others] = await Promise.all(["flags.snapshot", "definitions.json", "cache.json"].map((name) => flagpost(["types", name])));
  assert.equal(first.code, 0);
  assert.equal(first.stdout.match(/^ {2}"/gm).length, load(FIXTURES).flagKeys.length);
  for (const other of others) assert.deepEqual(other, first);
});

test("-o writes what is printed without it, and leaves a file alone that is the same", async (context) => {
  const { flagpost, write, read, path } = folder(context);
  write("definitions.json", FIXTURES);
  const { stdout } = await flagpost(["types", "definitions.json"]);
  assert.deepEqual(await flagpost(["types", "definitions.json", "-o", "flags.d.ts"]), { code: 0, stdout: "", stderr: "" });
  assert.equal(read("flags.d.ts"), stdout);
  const { ino } = statSync(join(path, "flags.d.ts"));
  await flagpost(["types", "definitions.json", "-o", "flags.d.ts"]);
  assert.equal(statSync(join(path, "flags.d.ts")).ino, ino);
  write("shared.d.ts", "before");
  symlinkSync("shared.d.ts", join(path, "link.d.ts"));
  await flagpost(["types", "definitions.json", "-o", "link.d.ts"]);
  assert.equal(read("shared.d.ts"), stdout, "what a link leads to is written");
  assert.equal((await flagpost(["types", "definitions.json", "-o", "/dev/null"])).code, 0);
  assert.ok(statSync("/dev/null").isCharacterDevice());
});

test("--check ends with 0 when nothing differs, whatever ends the lines, and names the flags that do", async (context) => {
  const { flagpost, write, read } = folder(context);
  const before = [flag("stays"), flag("gone"), { ...flag("odd\u202e"), name: "old" }];
  write("before.json", JSON.stringify(definitions(...before)));
  write("after.json", JSON.stringify(definitions(flag("stays"), flag("new"), { ...flag("odd\u202e"), name: "new" })));
  await flagpost(["types", "before.json", "-o", "flags.d.ts"]);
  assert.deepEqual(await flagpost(["types", "before.json", "--check", "flags.d.ts"]), { code: 0, stdout: "", stderr: "" });
  const differing = await flagpost(["types", "after.json", "--check", "flags.d.ts"]);
  assert.deepEqual([differing.code, differing.stdout], [1, '- "gone"\n+ "new"\n~ "odd\\u202e"\n']);
  assert.match(differing.stderr, /^flagpost: flags\.d\.ts is not what the snapshot gives: .*\n$/);
  write("flags.d.ts", read("flags.d.ts").replaceAll("\n", "\r\n"));
  assert.equal((await flagpost(["types", "before.json", "--check", "flags.d.ts"])).code, 0);
  write("flags.d.ts", `${read("flags.d.ts")}// mine\n`);
  assert.deepEqual((await flagpost(["types", "before.json", "--check", "flags.d.ts"])).code, 1);
  const missing = await flagpost(["types", "before.json", "--check", "none.d.ts"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /none\.d\.ts does not exist/);
});

test("a snapshot behind a URL is read, with headers whose values are in the environment", async (context) => {
  const server = createServer((request, response) => {
    if (request.headers.authorization !== "Bearer secret") return response.writeHead(403).end();
    if (request.url !== "/flags") return response.writeHead(404).end();
    response.end(compiledSnapshot(HEADER, definitions(flag("on"))));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { flagpost } = folder(context);
  const url = `http://127.0.0.1:${server.address().port}`;
  const header = ["--header-env", "authorization=TOKEN"];
  const env = { TOKEN: "Bearer secret" };
  const good = await flagpost(["types", `${url}/flags`, ...header], { env });
  assert.equal(good.code, 0);
  assert.deepEqual(typesOf(good.stdout, '"on"'), { value: "boolean", payload: "undefined" });
  const ends = {
    [`${url}/flags`]: [3, /cannot be read: .*status 403/, []],
    [`${url}/none`]: [3, /holds nothing/, header],
    "http://": [2, /no absolute URL/, []],
    "http://user:secret@host/": [2, /holds a password/, []],
  };
  for (const [address, [code, message, options]] of Object.entries(ends)) {
    const ended = await flagpost(["types", address, ...options], { env });
    assert.deepEqual([ended.code, ended.stdout], [code, ""]);
    assert.match(ended.stderr, message);
    assert.doesNotMatch(ended.stderr, /secret/);
  }
});

test("wrong arguments and bad snapshots end with a line that says what to do, and write nothing", async (context) => {
  const { flagpost, write, read } = folder(context);
  const damaged = compiledSnapshot(HEADER, definitions(flag("on")));
  // A byte of the definitions, which nobody would miss at the edge.
  damaged[damaged.length - 20] ^= 1;
  write("damaged.snapshot", damaged);
  write("empty", "");
  write("other.json", '{"flag":[]}');
  write("cut.json", FIXTURES.slice(0, 1000));
  write("good.json", FIXTURES);
  write("flags.d.ts", "before\n");
  const ends = [
    [["types"], 2, /takes one snapshot/],
    [["types", "a", "b"], 2, /takes one snapshot/],
    [["types", "good.json", "--chek", "x"], 2, /--chek/],
    [["types", "good.json", "-o", "a", "--check", "b"], 2, /--check writes nothing/],
    [["types", "good.json", "--header-env", "a=B"], 2, /--header-env is for a snapshot behind a URL/],
    [["types", "https://host/", "--header-env", "authorization: Bearer secret"], 2, /--header-env takes a header and a variable/],
    [["types", "https://host/", "--header-env", "authorization=UNSET_VARIABLE"], 2, /UNSET_VARIABLE is not set/],
    [["types", "none\u0007"], 3, /none\\u0007 cannot be read: no such file or directory$/],
    [["types", "empty"], 3, /is empty/],
    [["types", "damaged.snapshot", "-o", "flags.d.ts"], 3, /checksum does not match/],
    [["types", "other.json", "-o", "flags.d.ts"], 3, /no `flags`/],
    [["types", "cut.json", "-o", "flags.d.ts"], 3, /JSON/],
    [["types", "good.json", "-o", "no/folder/flags.d.ts"], 4, /cannot be written: no such file or directory$/],
    [["types", "good.json", "-o", "good.json/flags.d.ts"], 4, /cannot be written: not a directory$/],
    [["types", "good.json", "-o", "."], 4, /cannot be written: illegal operation on a directory$/],
    [["constructor"], 2, /no command "constructor"/],
    [[], 2, /a command is missing/],
  ];
  for (const [args, code, message] of ends) {
    const ended = await flagpost(args);
    assert.deepEqual([ended.code, ended.stdout], [code, ""], args.join(" "));
    assert.match(ended.stderr, /^flagpost: .*\n$/, args.join(" "));
    assert.match(ended.stderr.trimEnd(), message);
    assert.doesNotMatch(ended.stderr, /Bearer/);
  }
  assert.equal(read("flags.d.ts"), "before\n");
});

test("--help teaches each command, --version is the package's", async (context) => {
  const { flagpost } = folder(context);
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  assert.deepEqual(await flagpost(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
  for (const [args, text] of [[["--help"], /types SNAPSHOT/], [["types", "-h"], /--check FILE/], [["embed", "--help"], /\.mjs/]]) {
    const { code, stdout } = await flagpost(args);
    assert.equal(code, 0);
    assert.match(stdout, text);
    assert.match(stdout, /Exit codes: 0/);
    assert.ok(Math.max(...stdout.split("\n").map(({ length }) => length)) <= 120);
  }
});
