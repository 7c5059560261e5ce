/** What flagpost/refresh makes of its target: stores that say no, other writers, snapshots that are to stay. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { createReader, evaluateFlag } from "flagpost";
import { createScheduled, FlagpostError, kvTarget, memoryTarget, r2Target, refresh } from "flagpost/refresh";
import { Miniflare } from "miniflare";
import { snapshot } from "../../js/test/snapshot.mjs";
import { definitions, KEYS, opened, startStage } from "./table.mjs";

const patience = { retries: 0 };
let stage;
let miniflare;
before(async () => {
  stage = await startStage();
  miniflare = new Miniflare({ modules: true, script: "export default {};", kvNamespaces: ["FLAGS"], r2Buckets: ["BUCKET"], host: "127.0.0.1", port: 0, cf: false });
});
after(async () => {
  await miniflare?.dispose();
  await stage?.stop();
});

const ok = (body, etag = '"new"') => ({ status: 200, headers: { ETag: etag }, body });
const versioned = (version, id = 1) => JSON.stringify({ flags: [{ id, key: "a", version, active: true, filters: { groups: [{}] } }] });
const stored = async (target) => opened((await target.read()).bytes);
const targets = {
  memory: () => memoryTarget(),
  kv: async (key) => kvTarget(await miniflare.getKVNamespace("FLAGS"), { key }),
  r2: async (key) => r2Target(await miniflare.getR2Bucket("BUCKET"), { key }),
};

for (const [name, open] of Object.entries(targets)) {
  test(`${name} writes only over what is expected`, async () => {
    const target = await open("contract");
    const made = memoryTarget();
    await refresh({ ...KEYS, host: stage.at(ok({ definitions: 1 })).host, target: made });
    const one = new Uint8Array((await made.read()).bytes);
    await refresh({ ...KEYS, host: stage.at(ok({ definitions: 2 })).host, target: made });
    const two = new Uint8Array((await made.read()).bytes);
    assert.equal(await target.read(), null);
    assert.equal(await target.write(one, "another"), "conflict");
    assert.equal(await target.read(), null);
    assert.equal(await target.write(one, null), "written");
    const first = await target.read();
    assert.deepEqual(new Uint8Array(first.bytes), one);
    assert.equal(await target.write(two, null), "conflict");
    assert.equal(await target.write(two, "another"), "conflict");
    assert.deepEqual(new Uint8Array((await target.read()).bytes), one);
    assert.equal(await target.write(two, first.version), "written");
    const second = await target.read();
    assert.deepEqual(new Uint8Array(second.bytes), two);
    assert.notEqual(second.version, first.version);
  });
}

for (const name of ["memory", "r2"]) {
  test(`of refreshes that meet the newest definitions stay, with ${name}`, async () => {
    const target = await targets[name]("meet");
    let version = 0;
    const answer = async () => {
      const body = versioned(++version);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return new Response(body, { headers: { etag: `"${version}"` } });
    };
    const runs = Array.from({ length: 6 }, () => refresh({ ...KEYS, host: "http://localhost:1", target, fetch: answer }));
    const reports = await Promise.all(runs);
    assert.deepEqual(reports.filter(({ exitCode }) => exitCode !== 0).map(({ message }) => message).filter((text) => !text.includes("older")), []);
    assert.equal((await stored(target)).definitions, versioned(6));
  });
}

/** A target in which somebody else stores other definitions just before the first write. */
function overtaken(theirs, host) {
  const target = memoryTarget("a busy store");
  let once = true;
  return {
    ...target,
    async write(bytes, expected) {
      if (once) {
        once = false;
        await refresh({ ...KEYS, host, target, fetch: async () => new Response(theirs, { headers: { etag: '"theirs"' } }) });
      }
      return target.write(bytes, expected);
    },
  };
}

test("a target that says undefined of nothing holds nothing", async () => {
  const { host } = stage.at(ok({ definitions: 2 }));
  const stored = new Map();
  const target = {
    describe: "a map",
    read: async () => stored.get("flags"),
    async write(bytes, expected) {
      assert.equal(expected, null);
      stored.set("flags", { bytes, version: "1" });
      return "written";
    },
  };
  const report = await refresh({ ...KEYS, host, target, patience });
  assert.equal(report.status, "updated", report.message);
  const nowhere = { ...target, read: async () => undefined, write: async () => "conflict" };
  assert.equal((await refresh({ ...KEYS, host, target: nowhere, patience })).reason, "write-conflict");
});

test("whoever was overtaken by newer definitions leaves them", async () => {
  const { host, conditions } = stage.at(ok(versioned(3)));
  const target = overtaken(versioned(4), host);
  const report = await refresh({ ...KEYS, host, target, patience });
  assert.deepEqual([report.status, report.reason, report.exitCode, report.written], ["skipped", "superseded", 0, false], report.message);
  assert.equal((await stored(target)).definitions, versioned(4));
  assert.equal(conditions.length, 1);
});

test("whoever was overtaken by older definitions replaces them", async () => {
  const { host } = stage.at(ok(versioned(3)));
  const target = overtaken(versioned(2), host);
  const report = await refresh({ ...KEYS, host, target, patience });
  assert.equal(report.status, "updated", report.message);
  assert.equal((await stored(target)).definitions, versioned(3));
});

test("where versions do not tell, PostHog is asked again after what is stored was read", async () => {
  const { host, conditions } = stage.at(ok(definitions(3)));
  const target = overtaken(definitions(2), host);
  const report = await refresh({ ...KEYS, host, target, patience });
  assert.equal(report.status, "updated", report.message);
  assert.deepEqual(conditions, [null, '"theirs"']);
  assert.equal((await stored(target)).definitions, definitions(3));
});

test("what is damaged is replaced, and a target that cannot be read is left alone", async () => {
  const { host, conditions } = stage.at(ok({ definitions: 2 }));
  const target = memoryTarget();
  await target.write(new TextEncoder().encode("no snapshot"), null);
  assert.equal((await refresh({ ...KEYS, host, target, patience })).status, "updated");
  assert.deepEqual(conditions, [null]);
  const broken = { ...target, read: () => Promise.reject(new Error("no route")) };
  const report = await refresh({ ...KEYS, host, target: broken, patience });
  assert.deepEqual([report.status, report.reason, report.exitCode, report.attempts], ["error", "read-failed", 9, 0]);
  assert.match(report.message, /memory cannot be read: no route; what is stored stays as it is/);
});

test("a write that fails is reported, unless it reads back nevertheless", async () => {
  const { host } = stage.at(ok({ definitions: 2 }));
  const target = memoryTarget();
  const failing = { ...target, write: () => Promise.reject(new Error("no room")) };
  const report = await refresh({ ...KEYS, host, target: failing, patience });
  assert.deepEqual([report.status, report.reason, report.exitCode, report.written], ["error", "write-failed", 10, false]);
  assert.match(report.message, /cannot be written: no room; no snapshot is stored yet in memory/);
  const lost = { ...target, write: (...args) => target.write(...args).then(() => Promise.reject(new Error("answer lost"))) };
  assert.equal((await refresh({ ...KEYS, host, target: lost, patience })).status, "updated");
});

test("only what reads back counts as stored", async () => {
  const { host } = stage.at(ok({ definitions: 2 }));
  const target = { describe: "a void", read: async () => null, write: async () => "written" };
  const report = await refresh({ ...KEYS, host, target, patience });
  assert.deepEqual([report.reason, report.exitCode, report.written, report.snapshot], ["write-unverified", 10, false, null]);
  assert.match(report.message, /what was written to a void does not read back: it holds nothing/);
});

test("a snapshot larger than the target takes is refused before anything is written", async () => {
  const { host } = stage.at(ok({ definitions: 2 }));
  const target = { ...memoryTarget(), maxBytes: 100 };
  const report = await refresh({ ...KEYS, host, target, patience });
  assert.deepEqual([report.reason, report.exitCode, await target.read()], ["store-limit", 10, null]);
});

/** A snapshot as some other writer may have left it. */
function foreign(more) {
  const content = { flags: [{ key: "a", active: true, filters: { groups: [{}] } }] };
  const digest = `sha256:${createHash("sha256").update(JSON.stringify(content)).digest("hex")}`;
  const at = "2026-01-01T00:00:00.000Z";
  return snapshot({ format: 1, etag: '"old"', digest, fetched_at: at, checked_at: at, generator: "flagpost-refresher/0.0.1", ...more }, content);
}

test("a pinned snapshot is left alone and PostHog not asked", async () => {
  const { host, conditions } = stage.at(ok({ definitions: 2 }));
  const target = memoryTarget();
  const bytes = foreign({ pinned: true });
  await target.write(bytes, null);
  const report = await refresh({ ...KEYS, host, target, patience, policy: { force: true } });
  assert.deepEqual([report.status, report.reason, report.exitCode, report.attempts], ["skipped", "pinned", 0, 0], report.message);
  assert.deepEqual(new Uint8Array((await target.read()).bytes), bytes);
  assert.deepEqual(conditions, []);
});

test("a snapshot of an older version is compiled anew when its header is renewed, and keeps what it does not know", async () => {
  const { host } = stage.at({ status: 304, headers: { ETag: '"renamed"' } });
  const project = `sha256:${createHash("sha256").update(KEYS.projectKey).digest("hex").slice(0, 16)}`;
  const target = memoryTarget();
  await target.write(foreign({ upstream: { host, project }, later: { a: 1 } }), null);
  const report = await refresh({ ...KEYS, host, target, patience });
  assert.deepEqual([report.status, report.written], ["unchanged", true], report.message);
  const { header, sections } = await stored(target);
  assert.deepEqual([header.etag, header.later, header.generator], ['"renamed"', { a: 1 }, "flagpost/0.1.0"]);
  assert.ok(sections.has("CODE"));
});

test("an etag is only shown to whoever gave it", async () => {
  const { host, conditions } = stage.at(ok({ definitions: 2 }));
  const target = memoryTarget();
  await refresh({ ...KEYS, host, target });
  const other = stage.at(ok({ definitions: 2 }, '"other"'));
  await refresh({ ...KEYS, host: other.host, target });
  await refresh({ ...KEYS, host: other.host, target });
  assert.deepEqual([conditions, other.conditions], [[null], [null, '"other"']]);
});

test("a process can refresh for itself and read what it refreshed", async () => {
  const target = memoryTarget();
  await refresh({ ...KEYS, host: stage.at(ok(versioned(1))).host, target });
  const reader = createReader({ source: target });
  assert.equal(evaluateFlag(await reader.current(), "a", { distinctId: "u" }).value, true);
});

test("options that cannot work are refused without a request, and no error tells a key", async () => {
  const target = memoryTarget();
  for (const [wrong, says] of [
    [{ projectKey: undefined }, /projectKey is missing/],
    [{ projectKey: "phx_secret" }, /projectKey is a secret key/],
    [{ personalApiKey: "" }, /personalApiKey is missing/],
    [{ personalApiKey: "phc_public" }, /personalApiKey is a project key/],
    [{ personalApiKey: "phx_two\nlines" }, /holds line breaks/],
    [{ host: "us.i.posthog.com" }, /host is not an address/],
    [{ host: "http://posthog.example" }, /plain http/],
    [{ host: "https://me:secret@posthog.example" }, /user name or password/],
    [{ host: "https://posthog.example/?a" }, /query or fragment/],
    [{ target: undefined }, /the target is of type undefined/],
    [{ policy: { maxRemoved: 101 } }, /maxRemoved/],
    [{ policy: { heartbeat: -1 } }, /policy\.heartbeat/],
    [{ patience: { timeoutMs: NaN } }, /patience\.timeoutMs/],
  ]) {
    await assert.rejects(refresh({ ...KEYS, target, fetch: () => assert.fail("asked"), ...wrong }), (error) => {
      assert.ok(error instanceof FlagpostError && error.code === "invalid_options", String(error));
      assert.match(error.message, says);
      assert.ok(!/phx_\w|secret@/.test(error.message), error.message);
      return true;
    });
  }
});

test("a scheduled run logs one line and throws where the refresher fails, or where it is told to", async (context) => {
  const log = context.mock.method(console, "log", () => {});
  const target = memoryTarget();
  const { host } = stage.at({ status: 401 });
  const options = { ...KEYS, host, target, patience };
  await assert.rejects(createScheduled(options).scheduled({}, {}), { name: "FlagpostError", code: "refresh_failed", message: /^error: posthog answered 401/ });
  await createScheduled((env) => ({ ...options, ...env })).scheduled({}, { fails: () => false });
  const lines = log.mock.calls.map(({ arguments: [line] }) => JSON.parse(line));
  assert.deepEqual(lines.map(({ status, reason }) => [status, reason]), [["error", "auth"], ["error", "auth"]]);
  const current = stage.at(ok({ definitions: 1 }));
  const strict = { ...options, host: current.host, fails: ({ status }) => status === "updated" };
  await assert.rejects(createScheduled(strict).scheduled({}, {}), { code: "refresh_failed" });
});
