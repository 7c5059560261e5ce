/**
 * What realistic definitions take where they are stored and where they are evaluated, in bytes, against
 * tests/budgets.json. The definitions and users come from the generator of the shared benchmark: see `generated.mjs`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { freshPackage, watched } from "../../js/test/instances.mjs";
import { BUDGETS, generator, missing } from "./generated.mjs";

const header = { checked_at: "2026-04-26T00:00:00Z" };

for (const flags of [1000, 5000]) {
  test(`${flags} generated flags are stored and evaluated within their budgets of bytes`, { skip: missing }, async () => {
    const { genDefinitions, genUsers } = await generator();
    const definitions = genDefinitions(flags);
    const snapshot = compiledSnapshot(header, definitions);
    const beside = (snapshot.length - JSON.stringify(definitions).length) / flags;
    const users = genUsers(64);
    const { instances, result } = watched(() => {
      const fresh = freshPackage();
      const loaded = fresh.load(snapshot);
      for (const user of users) fresh.evaluate(loaded, user);
      return { fresh, loaded };
    });
    const [{ memory }] = instances;
    const used = memory.buffer.byteLength;
    console.log(`${flags} generated flags: ${beside.toFixed(1)} bytes per flag stored beside the definitions; ${used} bytes of memory, ${(used / flags).toFixed(1)} per flag`);
    assert.equal(instances.length, 1, "the compiler was not started");
    assert.ok(beside > 0 && beside <= BUDGETS.bytesPerFlag.stored, `stored beside the definitions, per flag: ${beside}`);
    assert.ok(used <= BUDGETS.memory[flags], `memory: ${used}`);
    for (let round = 0; round < 20; round++) for (const user of users) result.fresh.evaluate(result.loaded, user);
    assert.equal(memory.buffer.byteLength, used, "memory grew after warm-up");
  });
}
