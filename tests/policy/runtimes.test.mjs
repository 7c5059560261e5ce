/** flagpost/refresh in Deno and Bun: the rows of the policy table, as their own fetch meets them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { expected, KEYS, TABLE } from "./table.mjs";

const program = fileURLToPath(new URL("each.mjs", import.meta.url));
const bin = (name) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

for (const [name, args] of [
  ["deno", ["run", "--allow-all"]],
  ["bun", ["run"]],
]) {
  test(`${name} holds the policy table where nothing is stored`, async () => {
    const { stdout } = await promisify(execFile)(bin(name), [...args, program], { timeout: 120_000, maxBuffer: 1 << 20 });
    const found = JSON.parse(stdout);
    assert.deepEqual(found.map((row) => row.name), TABLE.rows.map((row) => row.name));
    for (const [index, row] of TABLE.rows.entries()) {
      const { status, reason, attempts, message, stored } = found[index];
      const { after, ...wanted } = expected(row, "nothing", "default");
      assert.deepEqual([status, reason, stored], [wanted.status, wanted.reason, after === "new"], `${row.name}: ${message}`);
      assert.equal(attempts, reason === row.reason ? row.attempts : 1, `${row.name}: ${message}`);
      assert.ok(!message.includes(KEYS.projectKey) && !message.includes(KEYS.personalApiKey), message);
    }
  });
}

test("Deno KV is a target: in chunks, compared and written in one step, and mended when a part is lost", async () => {
  const script = fileURLToPath(new URL("deno-kv.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(bin("deno"), ["run", "--allow-all", "--unstable-kv", script], { timeout: 120_000 });
  assert.deepEqual(JSON.parse(stdout), {
    reports: [["updated", null, true], ["unchanged", null, false], ["updated", null, true]],
    values: [true, true],
    writes: ["conflict", "conflict", "written", "conflict"],
  });
});
