import { InvalidContextError, TargetingKeyMissingError, type EvaluationContext } from "@openfeature/core";
import type { User } from "../types.js";

/**
 * The user that an evaluation context speaks of:
 *
 * | attribute | becomes |
 * |---|---|
 * | `targetingKey` | `distinctId`; without one `defaultDistinctId`, or the error TARGETING_KEY_MISSING |
 * | `groups` | `groups`: group type -> key; types without a key are left out |
 * | `groupProperties` | `groupProperties`: group type -> properties |
 * | `personProperties` | person properties; they win over attributes of the same name |
 * | any other, `$device_id` too | a person property, unchanged: a Date stays a Date, which date filters read as its instant |
 *
 * The names are those of PostHog's own OpenFeature providers, `personProperties` aside.
 */
export function userOf(context: EvaluationContext | undefined, defaultDistinctId?: string): User {
  const { targetingKey, groups, groupProperties, personProperties, ...attributes } = context ?? {};
  return {
    distinctId: distinctIdOf(targetingKey, defaultDistinctId),
    groups: groupsOf(groups),
    groupProperties: groupPropertiesOf(groupProperties),
    personProperties: { ...attributes, ...recordOf("personProperties", personProperties) },
  };
}

function distinctIdOf(targetingKey: unknown, defaultDistinctId: string | undefined): string {
  if (targetingKey === undefined || targetingKey === null || targetingKey === "") {
    if (defaultDistinctId !== undefined) return defaultDistinctId;
    throw new TargetingKeyMissingError(
      'the evaluation context has no targetingKey, which is PostHog\'s distinct id: pass { targetingKey: "user-1" }, or give the provider a defaultDistinctId',
    );
  }
  if (typeof targetingKey === "string") return targetingKey;
  throw new InvalidContextError(`targetingKey is a ${typeof targetingKey}, not a string`);
}

function groupsOf(value: unknown): Record<string, string> {
  const given = Object.entries(recordOf("groups", value)).filter(([, key]) => key !== undefined && key !== null);
  return Object.fromEntries(given.map(([type, key]) => [type, groupKeyOf(type, key)]));
}

function groupKeyOf(type: string, key: unknown): string {
  if (typeof key === "string" || typeof key === "number") return String(key);
  throw new InvalidContextError(`groups.${type} is of type ${typeof key}, not a group's key: pass { ${type}: "acme" }`);
}

function groupPropertiesOf(value: unknown): Record<string, Record<string, unknown>> {
  const properties = recordOf("groupProperties", value);
  return Object.fromEntries(
    Object.entries(properties).map(([type, own]) => [type, recordOf(`groupProperties.${type}`, own)]),
  );
}

function recordOf(name: string, value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Date) {
    throw new InvalidContextError(`${name} is no object`);
  }
  return value as Record<string, unknown>;
}
