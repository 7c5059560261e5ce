/** A program for any runtime: refreshes once for each row of the table, and prints what came of it as JSON. */
import { memoryTarget, refresh } from "flagpost/refresh";
import { KEYS, startStage, TABLE } from "./table.mjs";

const stage = await startStage();
const patience = { retries: 1, retryDelayMs: 10, timeoutMs: 3000, maxSize: 2 << 20 };
const found = TABLE.rows.map(async ({ name, answer }) => {
  const target = memoryTarget();
  const { host } = stage.at(answer);
  const { status, reason, attempts, message } = await refresh({ ...KEYS, host, target, patience });
  return { name, status, reason, attempts, message, stored: (await target.read()) !== null };
});
console.log(JSON.stringify(await Promise.all(found)));
process.exit(0);
