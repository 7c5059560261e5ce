/**
 * The scenarios of OpenFeature's conformance suite (open-feature/spec, specification/assets/gherkin:
 * evaluation.feature, evaluation_v2.feature with test-flags.json, those about a provider's answers) in words of
 * our own, on PostHog flags that hold the same values, through both SDKs. `here` is where we depart, by intent:
 *
 * - each flag of a snapshot is evaluated, never STATIC or CACHED: TARGETING_MATCH, whichever condition let in, or
 *   DEFAULT for `false`
 * - a PostHog variant is its own string value (none is empty, so string-zero-flag is left out), and plain `true`
 *   has no variant
 * - a multivariate flag is on, as posthog-node's `isFeatureEnabled` says: a boolean, and no mismatch
 * - PostHog says `false` alike of flags switched off and of those that matched nobody: DEFAULT, never DISABLED
 */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { OpenFeature as Server } from "@openfeature/server-sdk";
import { OpenFeature as Web } from "@openfeature/web-sdk";
import { FlagpostProvider as ServerProvider } from "flagpost/openfeature";
import { FlagpostProvider as WebProvider } from "flagpost/openfeature-web";
import { definitions, flag, storeWithClient, when } from "./support.mjs";

const PICTURES = { showImages: true, title: "Check out these pics!", imagesPerPage: 100 };
const BALLMER = { email: "ballmer@macrosoft.com" };
const EVERYBODY = { properties: [], rollout_percentage: 100 };
const zero = (key, payload, groups = [EVERYBODY]) => flag(key, { variants: ["zero", "non-zero"], payloads: { zero: payload }, groups });
const targeted = (key, payload) => zero(key, payload, [when("email", [BALLMER.email], { variant: "zero" }), EVERYBODY]);
const FLAGS = definitions(
  flag("boolean-flag"),
  flag("string-flag", { variants: ["hi", "bye"] }),
  flag("integer-flag", { variants: ["ten", "one"], payloads: { ten: 10, one: 1 } }),
  flag("float-flag", { variants: ["half", "tenth"], payloads: { half: 0.5, tenth: 0.1 } }),
  flag("object-flag", { variants: ["template", "empty"], payloads: { template: PICTURES, empty: {} } }),
  flag("boolean-zero-flag", { groups: [] }),
  zero("integer-zero-flag", 0),
  zero("float-zero-flag", 0.0),
  zero("object-zero-flag", {}),
  flag("boolean-targeted-zero-flag", { groups: [] }),
  targeted("integer-targeted-zero-flag", 0),
  targeted("float-targeted-zero-flag", 0.0),
  targeted("object-targeted-zero-flag", {}),
  flag("context-aware", {
    variants: ["EXTERNAL", "INTERNAL"],
    groups: [when("customer", ["false"], { variant: "INTERNAL" }), EVERYBODY],
  }),
  flag("wrong-flag", { variants: ["uno", "dos"] }),
  flag("boolean-disabled-flag", { active: false }),
  flag("string-disabled-flag", { active: false, variants: ["hi"] }),
  flag("integer-disabled-flag", { active: false, variants: ["ten"], payloads: { ten: 10 } }),
  flag("float-disabled-flag", { active: false, variants: ["half"], payloads: { half: 0.5 } }),
  flag("object-disabled-flag", { active: false, variants: ["template"], payloads: { template: PICTURES } }),
);

const match = { reason: "TARGETING_MATCH" };
const missing = { reason: "ERROR", errorCode: "FLAG_NOT_FOUND" };
const mismatch = { reason: "ERROR", errorCode: "TYPE_MISMATCH" };
const external = { fn: "Sulisław", ln: "Świętopełk", age: 29 };
// Type, flag, default, context, what the suite expects, what differs here.
const SCENARIOS = [
  ["Boolean", "boolean-flag", false, {}, { value: true, variant: "on", reason: "STATIC" }, { ...match, variant: undefined }],
  ["String", "string-flag", "bye", {}, { value: "hi", variant: "greeting", reason: "STATIC" }, { ...match, variant: "hi" }],
  ["Number", "integer-flag", 1, {}, { value: 10, variant: "ten", reason: "STATIC" }, match],
  ["Number", "float-flag", 0.1, {}, { value: 0.5, variant: "half", reason: "STATIC" }, match],
  ["Object", "object-flag", null, {}, { value: PICTURES, variant: "template", reason: "STATIC" }, match],
  ["Boolean", "boolean-zero-flag", true, {}, { value: false, reason: "STATIC" }, { reason: "DEFAULT" }],
  ["Number", "integer-zero-flag", 1, {}, { value: 0, reason: "STATIC" }, match],
  ["Number", "float-zero-flag", 0.1, {}, { value: 0, reason: "STATIC" }, match],
  ["Object", "object-zero-flag", { a: 1 }, {}, { value: {}, reason: "STATIC" }, match],
  ["Number", "integer-targeted-zero-flag", 1, BALLMER, { value: 0, ...match }],
  ["Object", "object-targeted-zero-flag", { a: 1 }, BALLMER, { value: {}, ...match }],
  ["Boolean", "boolean-targeted-zero-flag", true, BALLMER, { value: false, ...match }, { reason: "DEFAULT" }],
  ["Boolean", "boolean-targeted-zero-flag", true, { email: null }, { value: false, reason: "DEFAULT" }],
  ["Number", "float-targeted-zero-flag", 0.1, BALLMER, { value: 0, ...match }],
  ["Number", "integer-targeted-zero-flag", 1, { email: "ballmer@none.com" }, { value: 0, reason: "DEFAULT" }, match],
  ["Number", "integer-targeted-zero-flag", 1, {}, { value: 0, reason: "DEFAULT" }, match],
  ["Object", "object-targeted-zero-flag", { a: 1 }, { email: null }, { value: {}, reason: "DEFAULT" }, match],
  ["String", "context-aware", "EXTERNAL", { ...external, customer: "false" }, { value: "INTERNAL" }],
  ["String", "context-aware", "false", { ...BALLMER, role: "admin", age: 65, customer: false }, { value: "INTERNAL", ...match }],
  ["String", "context-aware", "d", {}, { value: "EXTERNAL" }],
  ["Boolean", "non-existent-flag", false, {}, { value: false, ...missing }],
  ["String", "missing-flag", "uh-oh", {}, { value: "uh-oh", ...missing }],
  ["Number", "non-existent-flag", 0.1, {}, { value: 0.1, ...missing }],
  ["Object", "non-existent-flag", { a: 1 }, {}, { value: { a: 1 }, ...missing }],
  ["Number", "wrong-flag", 13, {}, { value: 13, ...mismatch }],
  ["String", "boolean-flag", "bye", {}, { value: "bye", ...mismatch }],
  ["Number", "boolean-flag", 0.1, {}, { value: 0.1, ...mismatch }],
  ["Number", "string-flag", 1, {}, { value: 1, ...mismatch }],
  ["Object", "string-flag", {}, {}, { value: {}, ...mismatch }],
  ["Boolean", "string-flag", false, {}, { value: false, ...mismatch }, { value: true, ...match, errorCode: undefined }],
  ["Boolean", "boolean-disabled-flag", false, {}, { value: false, reason: "DISABLED" }, { reason: "DEFAULT" }],
  ["String", "string-disabled-flag", "bye", {}, { value: "bye", reason: "DISABLED" }, { reason: "DEFAULT" }],
  ["Number", "integer-disabled-flag", 1, {}, { value: 1, reason: "DISABLED" }, { reason: "DEFAULT" }],
  ["Number", "float-disabled-flag", 0.1, {}, { value: 0.1, reason: "DISABLED" }, { reason: "DEFAULT" }],
  ["Object", "object-disabled-flag", { a: 1 }, {}, { value: { a: 1 }, reason: "DISABLED" }, { reason: "DEFAULT" }],
];

afterEach(() => Promise.all([Server.clearProviders(), Web.clearProviders()]));

for (const [type, key, fallback, attributes, suite, here] of SCENARIOS) {
  const context = { targetingKey: "user-1", ...attributes };
  const about = Object.keys(attributes).length > 0 ? ` in ${JSON.stringify(attributes)}` : "";
  const { value, errorCode } = { ...suite, ...here };
  test(`${key} as ${type}${about} is ${errorCode ?? JSON.stringify(value)}`, async () => {
    const { flags } = storeWithClient(FLAGS);
    await Server.setProviderAndWait(new ServerProvider(flags));
    await Web.setProviderAndWait(new WebProvider(flags, { refreshInterval: 0 }), context);
    const answers = [
      await Server.getClient()[`get${type}Details`](key, fallback, context),
      Web.getClient()[`get${type}Details`](key, fallback),
    ];
    for (const details of answers) {
      assert.equal(details.flagKey, key);
      for (const [member, wanted] of Object.entries({ errorCode: undefined, ...suite, ...here })) assert.deepEqual(details[member], wanted, member);
    }
  });
}
