/**
 * Vectors of every shape as the same thing: definitions (JSON text) with cases
 * `{id, user, key, expected, now?}`, or `{id, user, keys, expected: […], now?}` where one user is
 * asked for many flags. `expected` is `{value, payload?}`, `{unresolved}`, or undefined. A case is
 * `decided` when posthog-node must not be asked: the reference fails on it, or would never return.
 * Definitions are handed on as the text that stands in the file, because `1.0`, `-0` and `1e400` do
 * not survive JSON.parse and back.
 */
import { putJsValues } from "./carry.mjs";
import { elementTexts, memberText } from "./json-text.mjs";

const NO_USER_PROPERTIES = { groups: {}, personProperties: {}, groupProperties: {} };
export const LETTERS = { t: { value: true }, f: { value: false }, m: { unresolved: "missing_context" }, u: { unresolved: "unsupported_definition" } };

export function* flagCases({ text, json }) {
  for (const [index, line] of elementTexts(text.trim()).entries()) {
    const vector = putJsValues(json[index], json[index].js_values);
    yield { definitions: memberText(line, "definitions"), cases: [flagCase(vector, vector.expected)] };
  }
}

export function* hazardCases({ text, json }) {
  for (const [index, line] of elementTexts(text.trim()).entries()) {
    yield { definitions: memberText(line, "definitions"), cases: [{ ...flagCase(json[index], json[index].recommended), decided: true }] };
  }
}

function flagCase(vector, expected) {
  const { id, context, flag_key: key, now } = vector;
  return { id, user: userOf(context), key, expected: answerOf(expected), now, decided: expected.reason === "any" };
}

export function* propertyCases({ text, json }) {
  for (const [index, line] of elementTexts(text.trim()).entries()) {
    const { id, property_values, expected, reason, property_matching_version, now } = putJsValues(json[index], json[index].js_values);
    yield {
      definitions: definitionsOf([flagText("vector", memberText(line, "property"))], property_matching_version),
      cases: [{
        id, now, key: "vector",
        user: { distinctId: "user", ...NO_USER_PROPERTIES, personProperties: property_values },
        expected: expected === "inconclusive" ? { unresolved: reason ?? "any" } : { value: expected },
      }],
    };
  }
}

/** A hash is observed from outside: it falls between a share just below it and one just above. */
export function* hashCases({ json }) {
  for (const { key, bucketing, salt, expected } of json) {
    if (salt !== "" && salt !== "variant") throw new Error(`hash-primitives: the package never hashes with the salt ${salt}`);
    const [below, above] = [1 - 1e-12, 1 + 1e-12].map((factor) => expected * 100 * factor);
    const variants = [["below", below], ["here", above - below], ["above", 100]].map(([name, rollout_percentage]) => ({ key: name, rollout_percentage }));
    const groups = salt === "variant"
      ? [{ properties: [] }]
      : [["below", below], ["here", above], ["above", 100]].map(([variant, rollout_percentage]) => ({ properties: [], rollout_percentage, variant }));
    yield {
      definitions: JSON.stringify({ flags: [{ key, active: true, filters: { groups, multivariate: { variants } } }] }),
      cases: [{ id: `hash of ${key}.${bucketing}${salt}`, key, user: { distinctId: bucketing, ...NO_USER_PROPERTIES }, expected: { value: "here" } }],
    };
  }
}

export function* bulkCases({ text, json }) {
  const { flag_key, context_template, rows } = json;
  yield {
    definitions: memberText(text.trim(), "definitions"),
    cases: rows.map(([distinctId, value]) => ({
      id: distinctId, key: flag_key, keys: [flag_key], expected: [{ value }],
      user: userOf({ ...context_template, distinct_id: distinctId }),
    })),
  };
}

/** One flag for each filter of a table, so that one call answers a whole column. */
export function* tableCases({ text, json }) {
  const filters = elementTexts(memberText(text.trim(), "filters"));
  for (const { operator, property_matching_version, rows } of json.results) {
    const asked = rows.flatMap((row, index) => (row === null ? [] : [{ row, key: `filter-${index}`, filter: filters[index] }]));
    const flags = asked.map(({ key, filter }) => flagText(key, `{"key":"k","operator":${JSON.stringify(operator)},"value":${filter}}`));
    const values = [...json.contexts.map((k) => ({ k })), {}];
    yield {
      definitions: definitionsOf(flags, property_matching_version),
      cases: values.map((personProperties, column) => ({
        id: `${JSON.stringify(operator)} v${property_matching_version ?? 1} on ${JSON.stringify(personProperties.k) ?? "nothing"}`,
        user: { distinctId: "user", ...NO_USER_PROPERTIES, personProperties },
        keys: asked.map(({ key }) => key),
        expected: asked.map(({ row }) => LETTERS[row[column]]),
        now: json.now ?? undefined,
      })),
    };
  }
}

function flagText(key, property) {
  return `{"key":"${key}","active":true,"filters":{"groups":[{"properties":[${property}],"rollout_percentage":100}]}}`;
}

function definitionsOf(flags, version) {
  return `{"flags":[${flags.join(",")}],"property_matching_version":${JSON.stringify(version ?? null)}}`;
}

function userOf({ distinct_id, groups, person_properties, group_properties }) {
  return { distinctId: distinct_id, groups, personProperties: person_properties, groupProperties: group_properties };
}

function answerOf({ status, value, payload, reason }) {
  if (status === "unknown_flag") return undefined;
  if (status === "inconclusive") return { unresolved: reason };
  return payload === undefined ? { value } : { value, payload };
}
