/** flagpost/refresh in workerd, by its cron trigger, into Workers KV and R2. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bodyOf, CLEARED, definitions, expected, KEYS, opened, startStage, TABLE } from "./table.mjs";
import { startRefreshingWorker } from "./worker.mjs";

/** Rows that a Worker can meet: without those about connections, of which its runtime has words of its own. */
const ROWS = TABLE.rows.filter(({ answer }) => answer.at === undefined && answer.flow === undefined);
const STORES = ["kv", "r2"];
const STORED = { status: 200, headers: { ETag: '"stored"' }, body: { definitions: 2 } };
const patience = { retries: 1, retryDelayMs: 10, maxSize: 2 << 20 };

let stage;
let worker;
before(async () => {
  stage = await startStage();
  worker = await startRefreshingWorker();
});
after(async () => {
  await worker?.stop();
  await stage?.stop();
});

for (const store of STORES) {
  test(`a cron trigger holds the policy table, with ${store}`, async () => {
    assert.ok(ROWS.length >= 28);
    for (const row of ROWS) {
      for (const before of ["nothing", "fresh"]) {
        const about = `${row.name}, ${before}`;
        await worker.clear();
        const { host, conditions } = stage.at(before === "nothing" ? row.answer : STORED);
        if (before === "fresh") {
          const first = await worker.run({ host, store, patience });
          assert.deepEqual([first.outcome, first.report.status], ["ok", "updated"], first.report.message);
          stage.tell(host, row.answer);
          conditions.length = 0;
        }
        const stored = await worker.stored(store);
        const { outcome, report, lines } = await worker.run({ host, store, patience });
        const { status, reason, after } = expected(row, before, "default");
        assert.deepEqual([report.status, report.reason], [status, reason], `${about}: ${report.message}`);
        assert.equal(outcome, report.exitCode === 0 ? "ok" : "exception", about);
        assert.equal(lines.length, 1, about);
        assert.ok(!lines[0].includes(KEYS.personalApiKey), about);
        assert.deepEqual(new Set(conditions), new Set([stored && '"stored"']), about);
        const now = await worker.stored(store);
        if (after === "same") assert.deepEqual(now, stored, about);
        else assert.deepEqual(opened(now).definitions, bodyOf(row.answer), about);
      }
    }
  });

  test(`with ${store}, a used-up quota clears where the policy says so`, async () => {
    await worker.clear();
    const { host } = stage.at({ status: 402 });
    const { outcome, report } = await worker.run({ host, store, policy: { onQuota: "clear" } });
    assert.deepEqual([outcome, report.status, report.reason], ["exception", "empty", "quota"], report.message);
    assert.equal(opened(await worker.stored(store)).definitions, CLEARED);
  });

  test(`with ${store}, a run without a change writes nothing until the heartbeat is due`, async () => {
    await worker.clear();
    const { host } = stage.at({ status: 200, headers: { ETag: '"one"' }, body: { definitions: 2 } });
    await worker.run({ host, store });
    const stored = await worker.stored(store);
    stage.tell(host, { status: 304 });
    const quiet = await worker.run({ host, store });
    assert.deepEqual([quiet.report.status, quiet.report.written], ["unchanged", false]);
    assert.deepEqual(await worker.stored(store), stored);
    const due = await worker.run({ host, store, policy: { heartbeat: 0.001 } });
    assert.deepEqual([due.report.status, due.report.written], ["unchanged", true], due.report.message);
    const [was, is] = [opened(stored).header, opened(await worker.stored(store)).header];
    assert.ok(Date.parse(is.checked_at) > Date.parse(was.checked_at));
    assert.deepEqual({ ...is, checked_at: was.checked_at }, was);
    assert.equal(opened(await worker.stored(store)).definitions, definitions(2));
  });
}

test("Workers KV gets the metadata that the refresher writes", async () => {
  await worker.clear();
  const { host } = stage.at({ status: 200, headers: { ETag: '"one"' }, body: { definitions: 2 } });
  const { report } = await worker.run({ host, store: "kv" });
  const { metadata } = await worker.flags.getWithMetadata("flagpost");
  const { digest, etag, fetchedAt, checkedAt } = report.snapshot;
  assert.deepEqual(metadata, { digest, etag, fetchedAt, checkedAt });
});

test("Workers' own fetch can be passed", async () => {
  await worker.clear();
  const { host } = stage.at({ status: 200, body: { definitions: 2 } });
  const { outcome, report } = await worker.run({ host, store: "kv", passesFetch: true, patience: { retries: 0 } });
  assert.deepEqual([outcome, report.status], ["ok", "updated"], report.message);
});
