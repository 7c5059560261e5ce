/** Snapshots with a compiled section: what is loaded, what is compiled, and what crosses into the module. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequire } from "node:module";
import { evaluate, evaluateFlag, load } from "flagpost";
import { compiledSnapshot, digested, rulesetOf, sectionEnd } from "./compiler.mjs";
import { bytesOf, definitions, filter, flag } from "./definitions.mjs";
import { freshPackage, watched } from "./instances.mjs";
import { snapshot, xxh64 } from "./snapshot.mjs";

const require = createRequire(import.meta.url);
const header = { format: 1, digest: `sha256:${"0".repeat(64)}`, fetched_at: "2024-05-01T10:00:00Z", checked_at: "2024-05-01T11:00:00Z", generator: "test 1" };
const half = { groups: [{ properties: [], rollout_percentage: 50 }] };
const sample = definitions(
  flag("on"),
  flag("half", [], half),
  flag("pros", [filter("plan", "exact", "pro")]),
  flag("members", [{ ...filter("tier", "exact", "gold"), type: "group" }], { aggregation_group_type_index: 0 }),
  flag("coloured", [], { multivariate: { variants: [{ key: "blue", rollout_percentage: 100 }] }, payloads: { blue: '{"hex":"#00f"}', true: "1" } }),
  { ...flag("web"), evaluation_contexts: ["web"] },
);
const user = { distinctId: "user-1", personProperties: { plan: "pro" }, groups: { company: "acme" }, groupProperties: { company: { tier: "gold" } } };

/** The same snapshot with something else in its header: other bytes, the same definitions. */
function renewed(index, change) {
  return compiledSnapshot({ ...header, index }, sample, change);
}

test("a current snapshot answers as its definitions do, and no compiler is started for it", () => {
  const bytes = compiledSnapshot(header, sample);
  const fresh = freshPackage();
  const { modules, instances, result } = watched(() => {
    const loaded = fresh.load(bytes);
    return { all: fresh.evaluate(loaded, user), one: fresh.evaluateFlag(loaded, "pros", user), info: loaded.info, keys: loaded.flagKeys };
  });
  assert.equal(modules, 1);
  assert.deepEqual(instances.map(({ compiles }) => compiles), [false]);
  assert.deepEqual(result.all, evaluate(sample, user));
  assert.deepEqual(result.one, { value: true });
  assert.deepEqual(result.keys, load(sample).flagKeys);
  assert.equal(result.info.checkedAt, header.checked_at);
});

test("plain definitions start both modules, each once", () => {
  const fresh = freshPackage();
  const { modules, instances } = watched(() => {
    for (let index = 0; index < 3; index++) fresh.evaluate({ ...sample, index }, user);
  });
  assert.equal(modules, 2);
  assert.deepEqual(instances.map(({ compiles }) => compiles), [true, false]);
});

test("a compiler whose memory has grown large is not kept", () => {
  const fresh = freshPackage();
  const { modules, instances } = watched(() => {
    fresh.load({ ...sample, padding: "x".repeat(20 << 20) });
    fresh.load({ ...sample, index: 1 });
    fresh.load({ ...sample, index: 2 });
  });
  assert.equal(modules, 2);
  assert.deepEqual(instances.filter(({ compiles }) => compiles).map(({ memory }) => memory.buffer.byteLength > 8 << 20), [true, false]);
});

test("evaluation contexts leave the same flags out of a compiled snapshot as out of its definitions", () => {
  const bytes = compiledSnapshot(header, sample);
  for (const evaluationContexts of [["web"], ["ios"], [], undefined]) {
    const [compiled, plain] = [load(bytes, { evaluationContexts }), load(sample, { evaluationContexts })];
    assert.deepEqual(compiled.flagKeys, plain.flagKeys);
    assert.deepEqual(evaluate(compiled, user), evaluate(plain, user));
    assert.deepEqual(evaluateFlag(compiled, "web", user), evaluateFlag(plain, "web", user));
    assert.deepEqual(evaluate(compiled, user, { flagKeys: ["web", "on"] }), evaluate(plain, user, { flagKeys: ["web", "on"] }));
  }
  assert.equal(evaluateFlag(load(bytes, { evaluationContexts: ["ios"] }), "web", user), undefined);
});

test("a compiled section of an unknown version is compiled anew from the definitions", () => {
  const bytes = compiledSnapshot(header, sample, (ruleset) => {
    new DataView(ruleset.buffer).setUint32(0, 4_000_000, true);
    return ruleset;
  });
  const fresh = freshPackage();
  const { instances, result } = watched(() => fresh.evaluate(bytes, user));
  assert.deepEqual(result, evaluate(sample, user));
  assert.deepEqual(instances.map(({ compiles }) => compiles), [false, true]);
});

test("a compiled section that is wrong in itself is ignored while the snapshot is whole", () => {
  const expected = evaluate(sample, user);
  for (const back of [1, 8, 9, 100]) {
    const bytes = renewed(`wrong ${back}`);
    bytes[sectionEnd(bytes, "CODE") - back] ^= 1;
    assert.throws(() => load(bytes), { code: "damaged_snapshot" }, "the checksum of all does not fit either");
    new DataView(bytes.buffer).setBigUint64(bytes.length - 8, xxh64(bytes.subarray(0, -8)), true);
    assert.deepEqual(evaluate(bytes, user), expected);
  }
  assert.deepEqual(evaluate(renewed("cut", (ruleset) => ruleset.slice(0, 40)), user), expected);
  for (const length of [0, 1, 7, 8, 9, 116]) {
    assert.deepEqual(evaluate(snapshot(header, sample, { CODE: new Uint8Array(length) }), user), expected, `${length} bytes`);
  }
});

test("a snapshot that is known already is told by its checksum, and what was read then is served", () => {
  const good = renewed("known");
  const expected = evaluate(good, user);
  const damaged = good.slice();
  damaged[sectionEnd(good, "CODE") - 100] ^= 1;
  assert.deepEqual(evaluate(damaged, user), expected);
});

test("what is written over the bytes afterwards changes nothing that was loaded, and is loaded itself", () => {
  const other = definitions(flag("other"));
  for (const overwrite of [(bytes) => bytes.fill(255), (bytes) => bytes.fill(0), (bytes) => structuredClone(bytes, { transfer: [bytes.buffer] })]) {
    const bytes = renewed(`overwritten ${overwrite}`);
    const expected = evaluate(bytes.slice(), user);
    const loaded = load(bytes);
    overwrite(bytes);
    assert.deepEqual(evaluate(loaded, user), expected);
    assert.deepEqual(loaded.flagKeys, sample.flags.map(({ key }) => key));
    assert.deepEqual(evaluateFlag(loaded, "coloured", user), { value: "blue", payload: { hex: "#00f" } });
  }
  const pooled = new Uint8Array(1 << 16);
  const read = (snapshot) => {
    pooled.set(snapshot);
    return pooled.subarray(0, snapshot.length);
  };
  const first = renewed("pooled");
  assert.deepEqual(load(read(first)).flagKeys, sample.flags.map(({ key }) => key));
  const second = compiledSnapshot({ ...header, filler: "" }, other);
  const filler = "x".repeat(first.length - second.length);
  const third = compiledSnapshot({ ...header, filler }, other);
  assert.equal(third.length, first.length);
  assert.deepEqual(load(read(third)).flagKeys, ["other"]);
  assert.deepEqual(load(third.slice()).flagKeys, ["other"]);
  assert.deepEqual(load(first).flagKeys, sample.flags.map(({ key }) => key));
});

test("evaluation contexts that are no well-formed text leave the same flags out of a snapshot as of its definitions", () => {
  for (const evaluationContexts of [["\ud800"], ["web", "\ud800"]]) {
    const loaded = load(renewed(`contexts ${evaluationContexts.length}`), { evaluationContexts });
    assert.deepEqual(loaded.flagKeys, load(JSON.stringify(sample), { evaluationContexts }).flagKeys);
  }
});

test("a word of the ruleset that lies under fitting digests never breaks the evaluator", () => {
  const good = rulesetOf(sample);
  const count = { same: 0, other: 0, refused: 0 };
  const expected = JSON.stringify(evaluate(sample, user));
  for (let at = 0; at + 4 <= good.length; at += 4) {
    const old = new DataView(good.buffer).getUint32(at, true);
    for (const word of [0, old + 1, old ^ 0x40, 0x7fffffff, 0xffffffff]) {
      const loaded = load(renewed(`${at} ${word}`, (ruleset) => {
        new DataView(ruleset.buffer).setUint32(at, word, true);
        return ruleset;
      }));
      try {
        const text = JSON.stringify(evaluate(loaded, user));
        for (const key of loaded.flagKeys) evaluateFlag(loaded, key, user);
        count[text === expected ? "same" : "other"]++;
      } catch (error) {
        assert.equal(error.code, "damaged_snapshot", `${word} at ${at}: ${error.message}`);
        count.refused++;
      }
      loaded.free();
    }
  }
  for (const [what, times] of Object.entries(count)) assert.ok(times > 0, `none was ${what}`);
});

/** Lengths in bytes of the requests that evaluating takes. */
function requests(work) {
  const fresh = freshPackage();
  const { instances } = watched(() => work(fresh, fresh.load(compiledSnapshot(header, sample))));
  return instances[0].requests;
}

test("only what the asked flags read crosses into the module", () => {
  const large = { ...user, personProperties: { plan: "pro", ...Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`p${index}`, "x".repeat(100)])) } };
  const id = 4 + "user-1".length;
  const counts = 8;
  const slot = (value) => 4 + 1 + 4 + value.length;
  const group = 4 + (4 + "acme".length) + 4 + slot("gold");
  assert.deepEqual(requests(({ evaluateFlag }, loaded) => evaluateFlag(loaded, "on", large)), [], "everybody gets the same");
  assert.deepEqual(requests(({ evaluateFlag }, loaded) => evaluateFlag(loaded, "half", large)), [id + counts]);
  assert.deepEqual(requests(({ evaluateFlag }, loaded) => evaluateFlag(loaded, "pros", large)), [id + counts + slot("pro")]);
  assert.deepEqual(requests(({ evaluate }, loaded) => evaluate(loaded, large)), [4 + id + counts + slot("pro") + group]);
  assert.deepEqual(requests(({ evaluate }, loaded) => evaluate(loaded, large, { flagKeys: ["half", "on"] })), [4 + 8 + id + counts]);
  assert.deepEqual(requests(({ evaluate }, loaded) => evaluate(loaded, large, { flagKeys: ["half", "members"] })), [4 + 8 + id + counts + group]);
});

test("a million evaluations take no more memory than a thousand", () => {
  const { instances, result } = watched(() => {
    const anew = freshPackage();
    const loaded = anew.load(compiledSnapshot(header, sample));
    return (index) => {
      anew.evaluateFlag(loaded, "half", { distinctId: `user-${index}` });
      if (index % 50 === 0) anew.evaluate(loaded, { ...user, distinctId: `user-${index}` });
    };
  });
  for (let index = 0; index < 1000; index++) result(index);
  const before = instances[0].memory.buffer.byteLength;
  for (let index = 1000; index < 1_000_000; index++) result(index);
  assert.equal(instances[0].memory.buffer.byteLength, before);
});

test("a thousand snapshots, one after the other, take no more memory than a few", () => {
  const { instances, result: anew } = watched(() => {
    const fresh = freshPackage();
    fresh.load(renewed(0)).free();
    return fresh;
  });
  for (let index = 0; index < 50; index++) anew.load(renewed(index)).free();
  for (let index = 50; index < 100; index++) anew.evaluate(renewed(index), user);
  const before = instances[0].memory.buffer.byteLength;
  for (let index = 100; index < 550; index++) anew.load(renewed(index)).free();
  for (let index = 550; index < 1000; index++) anew.evaluate(renewed(index), user);
  // What lies between others is not always used at once; a page is what thirty snapshots take.
  assert.ok(instances[0].memory.buffer.byteLength <= before + 65_536, `${before} to ${instances[0].memory.buffer.byteLength}`);
});

test("the slim package answers current snapshots and says what it needs for anything else", () => {
  const slim = require("flagpost/slim");
  assert.deepEqual(Object.keys(slim).sort(), Object.keys(require("flagpost")).sort());
  const bytes = compiledSnapshot(header, sample);
  assert.deepEqual(slim.evaluate(bytes, user), evaluate(sample, user));
  assert.deepEqual(slim.evaluateFlag(slim.load(bytes), "coloured", user), { value: "blue", payload: { hex: "#00f" } });
  const unknown = compiledSnapshot(header, sample, (ruleset) => ruleset.fill(9, 0, 4));
  for (const other of [sample, JSON.stringify(sample), bytesOf(sample), snapshot(header, sample), unknown]) {
    assert.throws(() => slim.load(other), { name: "FlagpostError", code: "needs_compiler", message: /write a snapshot with a current refresher, or import "flagpost"$/ });
  }
});

test("the slim package refuses a damaged snapshot as damaged", () => {
  const slim = require("flagpost/slim");
  const bytes = renewed("slim");
  const end = sectionEnd(bytes, "CODE");
  for (const at of [100, 200, end - 20, end - 1]) {
    const changed = bytes.slice();
    changed[at] ^= 0x20;
    assert.throws(() => slim.load(changed), { code: "damaged_snapshot", message: /refresher run/ }, `byte ${at}`);
  }
  for (const length of [12, 100, end - 1, end + 1, bytes.length - 1]) {
    assert.throws(() => slim.load(bytes.slice(0, length)), { code: "damaged_snapshot", message: /refresher run/ }, `cut at ${length}`);
  }
});

test("a snapshot cut right behind its ruleset answers the same, and is as well protected", () => {
  const slim = require("flagpost/slim");
  const bytes = renewed("front");
  const front = bytes.slice(0, sectionEnd(bytes, "CODE"));
  for (const at of Array.from(front.keys()).slice(8)) {
    const changed = front.slice();
    changed[at] ^= 0x20;
    for (const { load: loaded } of [slim, { load }]) assert.throws(() => loaded(changed), { code: "damaged_snapshot" }, `byte ${at}`);
  }
  for (const { load: loaded, evaluate: answers } of [slim, { load, evaluate }]) {
    assert.deepEqual(answers(loaded(front), user), answers(loaded(bytes), user));
    assert.deepEqual(loaded(front).info, loaded(bytes).info);
  }
});

test("definitions of the slim package work in the other, and the other way round", () => {
  const slim = require("flagpost/slim");
  const bytes = digested(compiledSnapshot(header, sample));
  assert.deepEqual(evaluate(slim.load(bytes), user), evaluate(sample, user));
  assert.deepEqual(slim.evaluateFlag(load(sample), "pros", user), { value: true });
});
