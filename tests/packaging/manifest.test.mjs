/** What tools say of the packed package. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { publint } from "publint";
import { installPackage, program, succeed } from "./project.mjs";

let project;
before(async () => {
  project = await installPackage();
});
after(() => project?.remove());

test("publint finds nothing to complain of", async () => {
  const { messages } = await publint({ pkgDir: `${project.path}/node_modules/flagpost`, strict: true });
  assert.deepEqual(messages, []);
});

test("the typings fit what is imported and required, in every way of resolving them", async () => {
  await succeed("attw", process.execPath, [program("@arethetypeswrong/cli", "attw"), "--no-emoji", "--format", "ascii", project.tarball]);
});

test("a strict project without the DOM's types compiles against the package, as ESM and as CJS", async () => {
  const source = `
import { createReader, evaluate, evaluateFlag, FlagpostError, kvSource, load, r2Source, urlSource } from "flagpost";
import { evaluate as evaluateSlim } from "flagpost/slim";
import type { Answers, Definitions, Reason, User } from "flagpost";
import type { FlagpostErrorCode } from "flagpost/slim";
import { createScheduled, memoryTarget, refresh, type RefreshReport, type Target } from "flagpost/refresh";

const user: User = { distinctId: "u", groups: { company: "acme" }, personProperties: { plan: "pro", age: 3 } };
const definitions: Definitions = load(new Uint8Array(), { evaluationContexts: ["web"] });
const answers: Answers = evaluate(definitions, user, { flagKeys: ["a"], now: new Date(0) });
const value: boolean | string | undefined = answers.featureFlags["a"];
const reason: Reason | undefined = answers.unresolved["a"];
const answer = evaluateFlag({ flags: [] }, "a", user);
if (answer !== undefined && "value" in answer) console.log(answer.value, answer.payload);
else console.log(answer?.unresolved, value, reason);
const binding = { get: async (_key: string) => null };
createReader({ source: kvSource(binding, { key: "k" }), ttl: 60, onError: (error: FlagpostError) => console.log(error.code) });
createReader({ source: r2Source({ ...binding, head: async () => null }) });
createReader({ source: urlSource("https://host/", { headers: {} }) }).current().then((it) => it.ageSeconds);
const code: FlagpostErrorCode = "needs_compiler";
const slim: Answers = evaluateSlim(definitions, user);
console.log(code, slim);
const target: Target = memoryTarget();
createReader({ source: target });
refresh({ projectKey: "phc_a", personalApiKey: "phx_b", target, policy: { onQuota: "clear" } }).then((report: RefreshReport) => report.exitCode);
createScheduled((env: { KEY: string }) => ({ projectKey: "phc_a", personalApiKey: env.KEY, target })).scheduled({}, { KEY: "phx_b" });
// @ts-expect-error a user has a distinct id
evaluate(definitions, {});
`;
  const console = "declare const console: { log(...parts: unknown[]): void };\n";
  project.write("typed/esm.mts", console + source);
  project.write("typed/cjs.cts", console + source);
  const compilerOptions = { strict: true, noEmit: true, target: "ES2022", lib: ["ES2022"], types: [], module: "NodeNext", moduleResolution: "NodeNext", skipLibCheck: false };
  project.write("typed/tsconfig.json", JSON.stringify({ compilerOptions, include: ["."] }));
  assert.equal(await succeed("tsc", process.execPath, [program("typescript", "tsc"), "-p", `${project.path}/typed`]), "");
});
