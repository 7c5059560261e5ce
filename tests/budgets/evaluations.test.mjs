/**
 * What evaluating realistic definitions costs natively, in counts, against tests/budgets.json. The definitions
 * and users come from the generator of the shared benchmark: see `generated.mjs`.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { buildOracle, openOracle } from "../differential/native.mjs";
import { BUDGETS, generator, missing } from "./generated.mjs";

const NOW = Date.UTC(2026, 3, 26);
const USERS = 256;

const oracle = missing ? undefined : openOracle(buildOracle());
after(() => oracle?.close());

async function measured(flags, users) {
  const { genDefinitions, genUsers } = await generator();
  const costs = await oracle.ask({ measure: JSON.stringify(genDefinitions(flags)), now: NOW, users: genUsers(users).map((user) => JSON.stringify(user)) });
  assert.equal(costs.flags, flags);
  assert.equal(costs.together.length, users);
  return costs;
}

const mean = (costs, name) => costs.reduce((sum, cost) => sum + cost[name], 0) / costs.length;
const most = (costs, name) => Math.max(...costs.map((cost) => cost[name]));

test("hashes, filters, allocations and bytes of 1,000 generated flags are within their budgets", { skip: missing }, async () => {
  const { hashes, filters, allocations, bytesPerFlag } = BUDGETS;
  const { together, alone, bytes } = await measured(1000, USERS);
  const found = {
    hashes: { mean: mean(together, "hashes"), most: most(together, "hashes"), mostOfOneFlag: most(alone, "mostHashes") },
    filters: { mean: mean(together, "filters"), most: most(together, "filters") },
    allocations: { together: most(together, "allocations"), alone: most(alone, "allocations") },
    bytesPerFlag: bytes / 1000,
  };
  console.log(`1,000 generated flags, ${USERS} users: ${JSON.stringify(found)}`);
  for (const [name, count] of Object.entries(found.hashes)) assert.ok(count > 0 && count <= hashes.generated[name], `hashes, ${name}: ${count}`);
  for (const [name, count] of Object.entries(found.filters)) assert.ok(count > 0 && count <= filters.generated[name], `filters, ${name}: ${count}`);
  assert.deepEqual(found.allocations, { together: allocations.perCall, alone: allocations.perCall });
  assert.ok(found.bytesPerFlag <= bytesPerFlag.generated, `bytes per flag: ${found.bytesPerFlag}`);
});

test("what a flag costs does not grow with the number of flags", { skip: missing }, async () => {
  const [some, many] = [await measured(1000, 32), await measured(5000, 32)];
  for (const [name, of] of [
    ["filters", ({ together, flags }) => mean(together, "filters") / flags],
    ["hashes", ({ together, flags }) => mean(together, "hashes") / flags],
    ["bytes", ({ bytes, flags }) => bytes / flags],
  ]) {
    console.log(`${name} per flag: ${of(some).toFixed(3)} of 1,000, ${of(many).toFixed(3)} of 5,000`);
    assert.ok(of(many) <= 1.15 * of(some), `${name} per flag: ${of(some)} of 1,000, ${of(many)} of 5,000`);
  }
  assert.equal(most(many.together, "allocations"), BUDGETS.allocations.perCall);
});
