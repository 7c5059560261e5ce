/** Node, Deno and Bun run this: batches on stdin, replies on stdout. Deno gives it no permission. */
import process from "node:process";
import { answerLines } from "../answer.mjs";

process.stdin.setEncoding("utf8");
let text = "";
for await (const chunk of process.stdin) text += chunk;
process.stdout.write(answerLines(text));
