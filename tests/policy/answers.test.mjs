/** flagpost/refresh in Node holds the refresher's policy table, and its gate. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { memoryTarget, refresh } from "flagpost/refresh";
import { bodyOf, CLEARED, definitions, expected, GATE, KEYS, opened, startStage, TABLE } from "./table.mjs";

let stage;
before(async () => (stage = await startStage()));
after(() => stage.stop());

/** Stores definitions as a refresh some seconds ago would have; gives the bytes. */
async function store(target, host, body, { seconds = 60, etag = '"stored"', ...more } = {}) {
  const answer = () => Promise.resolve(new Response(body, etag === null ? {} : { headers: { etag } }));
  const at = Date.now() - seconds * 1000;
  const report = await refresh({ ...KEYS, host, target, now: () => at, fetch: answer, ...more });
  assert.equal(report.written, true, report.message);
  return Buffer.from((await target.read()).bytes);
}

async function holds(row, [name, age], [like, policy]) {
  const about = `${row.name}, ${name}, ${like}`;
  const target = memoryTarget();
  const { host, conditions } = stage.at(row.answer);
  const stored = age === null ? null : await store(target, host, definitions(2), { seconds: age });
  const slow = row.name.startsWith("slow");
  const patience = { retries: 1, retryDelayMs: 10, timeoutMs: slow ? 1500 : 30_000, maxSize: 2 << 20 };
  // A heartbeat would renew what is old.
  const report = await refresh({ ...KEYS, host, target, policy: { ...policy, heartbeat: 0 }, patience });

  const { status, reason, after } = expected(row, name, like);
  assert.deepEqual([report.status, report.reason], [status, reason], `${about}: ${report.message}`);
  assert.equal(report.exitCode === 0, ["updated", "unchanged"].includes(status) || (status === "empty" && reason === null), about);
  assert.equal(report.written, after !== "same", about);
  const says = row.saysInNode ?? row.says;
  if (after === "same" && status === row.status) assert.ok(report.message.includes(says), `${about}: ${report.message}`);
  assert.equal(report.attempts, reason === row.reason ? row.attempts : 1, `${about}: ${report.message}`);

  // An etag only with a snapshot that holds what it names.
  assert.deepEqual(conditions, Array(row.answer.at === undefined ? report.attempts : 0).fill(stored && '"stored"'), about);

  const now = await target.read();
  if (after === "same") {
    assert.deepEqual(now && Buffer.from(now.bytes), stored, `${about}: what is stored changed`);
  } else {
    const { header, definitions: found } = opened(now.bytes);
    assert.deepEqual([found, header.etag], after === "new" ? [bodyOf(row.answer), '"new"'] : [CLEARED, undefined], about);
    assert.equal(report.snapshot.digest, header.digest);
  }
  const failed = ["stale", "error"].includes(status);
  assert.equal(report.message.includes("kept the last good snapshot from"), failed && stored !== null, `${about}: ${report.message}`);
  assert.equal(report.message.includes("no snapshot is stored yet"), failed && stored === null, `${about}: ${report.message}`);
  assert.ok(!JSON.stringify(report).includes(KEYS.personalApiKey), about);
}

test("every row of the policy table holds", async () => {
  const cases = TABLE.rows.flatMap((row) =>
    Object.entries(TABLE.before).flatMap((age) => Object.entries(TABLE.policies).map((policy) => [row, age, policy])),
  );
  assert.equal(cases.length, 36 * 3 * 3);
  // As many at once as a small machine serves in time.
  const turn = async () => {
    for (let next = cases.pop(); next !== undefined; next = cases.pop()) await holds(...next);
  };
  await Promise.all(Array.from({ length: 8 }, turn));
});

for (const { name, stored, sent, policy = {}, otherProject, status, reason, says = [] } of GATE.rows) {
  test(`the gate: ${name}`, async () => {
    const target = memoryTarget();
    const { host } = stage.at({ status: 200, headers: { ETag: '"new"' }, body: JSON.stringify(sent) });
    if (stored === "damaged") await target.write(new TextEncoder().encode("FLAGPOST, but not a whole one"), null);
    else if (stored !== null) await store(target, otherProject ? "http://localhost:1" : host, JSON.stringify(stored), { policy: { force: true } });
    const before = await target.read();
    const report = await refresh({ ...KEYS, host, target, policy });
    assert.deepEqual([report.status, report.reason, report.exitCode], [status, reason, reason === null ? 0 : 8], report.message);
    for (const text of says) assert.ok(report.message.includes(text), `${text} in ${report.message}`);
    if (reason !== null) assert.deepEqual(await target.read(), before);
    else assert.equal(opened((await target.read()).bytes).definitions, JSON.stringify(sent));
  });
}
