/** Several sources behind one reader, and which snapshot wins. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createReader, evaluateFlag } from "flagpost";
import { compiledSnapshot } from "./compiler.mjs";
import { bytesOf, definitions, flag } from "./definitions.mjs";

const HOUR = (hour, minute = 0) => new Date(Date.UTC(2024, 4, 1, hour, minute)).toISOString();

/** A snapshot with one flag that bears its name. */
function named(name, checkedAt, fetchedAt = HOUR(0)) {
  const header = { etag: null, digest: `sha256:${name}`, fetched_at: fetchedAt, checked_at: checkedAt, format: 2 };
  return compiledSnapshot(header, definitions(flag(name)));
}

/** A source whose content is set from outside: bytes, null or an error. Its version is known by the bytes. */
function source(describe, content) {
  const versions = new Map();
  return {
    describe,
    content,
    asked: [],
    async read(previous) {
      this.asked.push(previous?.version);
      if (this.content === null || this.content instanceof Error) return this.content === null ? null : Promise.reject(this.content);
      if (!versions.has(this.content)) versions.set(this.content, `${describe} ${versions.size + 1}`);
      const version = versions.get(this.content);
      return version === previous?.version ? "unchanged" : { bytes: this.content.slice(), version };
    },
  };
}

async function withReader(sources, work) {
  mock.timers.enable({ apis: ["Date"], now: Date.parse(HOUR(12)) });
  const errors = [];
  const reader = createReader({ source: sources, ttl: 60, negativeTtl: 5, onError: (error) => errors.push(error.message) });
  try {
    await work({ reader, errors, name: async () => (await reader.current()).flagKeys.join(), pass: (seconds) => mock.timers.tick(seconds * 1000) });
  } finally {
    mock.timers.reset();
  }
}

test("the first source that is good is taken, and no other is asked", async () => {
  const [first, second] = [source("A", named("first", HOUR(1))), source("B", named("second", HOUR(2)))];
  await withReader([first, second], async ({ name, reader, errors }) => {
    assert.equal(await name(), "first");
    assert.deepEqual(second.asked, []);
    assert.equal(reader.status().source, "A, else B");
    assert.equal(reader.status().from, "A");
    assert.deepEqual(errors, []);
  });
});

const bad = {
  "that fails": new Error("down"),
  "that holds nothing": null,
  "with cut JSON": bytesOf(sampleText()).slice(0, 9),
  "with a damaged snapshot": named("damaged", HOUR(1)).map((byte, index) => (index > 40 && index < 80 ? 0 : byte)),
  "with no bytes": new Uint8Array(0),
};
function sampleText() {
  return definitions(flag("cut"));
}
for (const [what, content] of Object.entries(bad)) {
  test(`a source ${what} is passed over, reported, and asked again soon`, async () => {
    const [first, second] = [source("A", content), source("B", named("second", HOUR(2)))];
    await withReader([first, second], async ({ name, reader, errors, pass }) => {
      assert.equal(await name(), "second");
      assert.equal(errors.length, 1);
      assert.match(errors[0], /\bA\b/);
      assert.equal(reader.status().stats.errors, 1);
      assert.equal(reader.status().from, "B");
      pass(4);
      assert.equal(await name(), "second");
      assert.equal(first.asked.length, 1);
      first.content = named("first", HOUR(1));
      pass(1);
      assert.equal(await name(), "first", "the source that stands first is preferred, though it is older");
      assert.equal(reader.status().lastError, null);
      pass(59);
      assert.equal(await name(), "first");
      assert.equal(first.asked.length, 2);
    });
  });
}

test("a fallback that is older than what is in memory is not used, and the first source recovers with \"unchanged\"", async () => {
  const [first, second] = [source("A", named("first", HOUR(2))), source("B", named("old", HOUR(1)))];
  await withReader([first, second], async ({ name, reader, pass }) => {
    const good = first.content;
    assert.equal(await name(), "first");
    const held = await reader.current();
    first.content = new Error("down");
    for (let failure = 0; failure < 3; failure++) {
      pass(60);
      assert.equal(await name(), "first");
    }
    assert.equal(reader.status().from, "A");
    assert.deepEqual(second.asked, [undefined, "B 1", "B 1"], "it is not read again and again");
    first.content = good;
    pass(5);
    assert.equal(await reader.current(), held);
    assert.equal(first.asked.at(-1), "A 1");
    assert.equal(reader.status().lastError, null);
    assert.deepEqual(evaluateFlag(held, "first", { distinctId: "u" }), { value: true });
  });
});

test("a fallback that is newer is used, and the first source is then read whole", async () => {
  const [first, second] = [source("A", named("first", HOUR(1))), source("B", named("newer", HOUR(2)))];
  await withReader([first, second], async ({ name, pass }) => {
    const good = first.content;
    await name();
    first.content = null;
    pass(60);
    assert.equal(await name(), "newer");
    pass(5);
    assert.equal(await name(), "newer");
    assert.equal(second.asked.at(-1), "B 1");
    first.content = good;
    pass(5);
    assert.equal(await name(), "first");
    assert.equal(first.asked.at(-1), undefined);
  });
});

test("of snapshots confirmed at the same time, the one that PostHog sent later is newer", async () => {
  for (const [fetchedAt, expected] of [[HOUR(2), "fallback"], [HOUR(1), "first"]]) {
    const [first, second] = [source("A", named("first", HOUR(3), HOUR(1))), source("B", named("fallback", HOUR(3), fetchedAt))];
    await withReader([first, second], async ({ name, pass }) => {
      await name();
      first.content = null;
      pass(60);
      assert.equal(await name(), expected);
    });
  }
});

test("an older snapshot of the same source is used: somebody has rolled back", async () => {
  const only = source("A", named("new", HOUR(2)));
  await withReader([only], async ({ name, pass }) => {
    await name();
    only.content = named("rolled-back", HOUR(1));
    pass(60);
    assert.equal(await name(), "rolled-back");
  });
});

test("definitions without an age never replace a snapshot, unless their source stands first", async () => {
  const [first, second] = [source("A", named("first", HOUR(2))), source("B", bytesOf(definitions(flag("plain"))))];
  await withReader([first, second], async ({ name, pass }) => {
    await name();
    first.content = null;
    pass(60);
    assert.equal(await name(), "first");
    first.content = bytesOf(definitions(flag("plain-first")));
    pass(5);
    assert.equal(await name(), "plain-first");
  });
});

test("a fallback that is declined may be used once a newer snapshot is in it", async () => {
  const [first, second] = [source("A", named("first", HOUR(2))), source("B", named("old", HOUR(1)))];
  await withReader([first, second], async ({ name, pass }) => {
    await name();
    first.content = null;
    pass(60);
    assert.equal(await name(), "first");
    second.content = named("new", HOUR(3));
    pass(5);
    assert.equal(await name(), "new");
  });
});

test("when no source is good the error names them all, with the code of the first", async () => {
  await withReader([source("A", null), source("B", new Error("down"))], async ({ reader }) => {
    await assert.rejects(reader.current(), ({ code, message, cause }) => {
      assert.equal(code, "no_snapshot");
      assert.match(message, /no snapshot at A.*; B cannot be read: Error: down/);
      assert.deepEqual(cause.map((error) => error.code), ["no_snapshot", "source_failed"]);
      return true;
    });
  });
});

test("a first source that hangs is passed over when its time is up", async () => {
  const slow = { describe: "A", read: () => new Promise(() => {}) };
  const reader = createReader({ source: [slow, source("B", named("second", HOUR(2)))], timeout: 0.02, onError() {} });
  assert.deepEqual((await reader.current()).flagKeys, ["second"]);
  assert.match(reader.status().lastError.message, /A did not answer within 0.02 seconds/);
});
