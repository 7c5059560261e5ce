/** What the tests put under a provider: a client over a store, whose snapshot they change and break. */
import { readFileSync } from "node:fs";
import { createFlags, createReader } from "flagpost";
import { compiledSnapshot } from "../../js/test/compiler.mjs";
import { FIXTURE_DEFINITIONS } from "../support/posthog.mjs";

export const FIXTURE = JSON.parse(readFileSync(FIXTURE_DEFINITIONS, "utf8"));

/** Older than any `maxAge` in these tests. */
export const LONG_AGO = "2024-05-01T10:00:00Z";
export const MAX_AGE = 24 * 60 * 60;

/** A store with a client that looks at it for every user. */
export function storeWithClient(definitions, options, readerOptions) {
  const store = new Store();
  if (definitions !== undefined) store.put(definitions);
  const reader = createReader({ source: store, ttl: 0, negativeTtl: 0, staleWhileRevalidate: 0, maxAge: MAX_AGE, onError() {}, ...readerOptions });
  return { store, flags: createFlags({ reader, onError() {}, ...options }) };
}

/** A source whose snapshot can be replaced, taken away or held back. */
export class Store {
  describe = "the store of the test";
  #stored = null;
  #puts = 0;
  #held = Promise.resolve();

  /** Stores a snapshot and returns its version. */
  put(definitions, checkedAt = new Date().toISOString()) {
    const digest = `sha256:${String(++this.#puts).padStart(64, "0")}`;
    const header = { format: 1, digest, etag: null, fetched_at: checkedAt, checked_at: checkedAt };
    this.#stored = { bytes: compiledSnapshot(header, definitions), version: String(this.#puts) };
    return digest;
  }

  putBytes(bytes) {
    this.#stored = { bytes, version: String(++this.#puts) };
  }

  /** Lets reads wait until the function that it returns is called. */
  hold() {
    let release;
    this.#held = new Promise((resolve) => (release = resolve));
    return release;
  }

  async read() {
    const stored = this.#stored;
    await this.#held;
    return stored;
  }
}

/** A flag in PostHog's shape. With variants, everybody gets the first. */
export function flag(key, { variants = [], payloads = {}, groups = [{ properties: [], rollout_percentage: 100 }], ...more } = {}) {
  const shares = variants.map((name, index) => ({ key: name, rollout_percentage: index === 0 ? 100 : 0 }));
  const texts = Object.fromEntries(Object.entries(payloads).map(([value, payload]) => [value, JSON.stringify(payload)]));
  const multivariate = variants.length > 0 ? { variants: shares } : null;
  return { key, active: true, filters: { groups, payloads: texts, multivariate }, ...more };
}

/** Definitions in PostHog's shape. */
export function definitions(...flags) {
  return { flags, group_type_mapping: { 0: "company" }, cohorts: {} };
}

/** A condition: the property is one of the values. */
export function when(key, values, more) {
  return { properties: [{ key, value: values, operator: "exact", type: "person" }], rollout_percentage: 100, ...more };
}

/** The next event of a kind, and all that came: `events.next("PROVIDER_STALE")`, `events.seen`. */
export function listen(client, kinds) {
  const seen = [];
  const waiting = [];
  for (const kind of kinds) {
    client.addHandler(kind, (details) => {
      seen.push(kind);
      for (const wait of waiting.splice(0)) wait(kind, details);
    });
  }
  const next = (kind) => new Promise((resolve) => {
    const wait = (came, details) => (came === kind ? resolve(details) : void waiting.push(wait));
    waiting.push(wait);
  });
  return { seen, next };
}

/** A user of the fixtures as an evaluation context. */
export function contextOf({ distinctId, groups, personProperties, groupProperties }) {
  return { targetingKey: distinctId, ...(groups && { groups }), ...(groupProperties && { groupProperties }), ...personProperties };
}

/** What OpenFeature must answer where posthog-node answers `reference`, by type. A list of [method, default, value, code]. */
export function expected(reference) {
  if (reference === undefined || "unresolved" in reference) {
    const code = reference === undefined ? "FLAG_NOT_FOUND" : reference.unresolved === "missing_context" ? "INVALID_CONTEXT" : "GENERAL";
    return [["Boolean", true, true, code], ["String", "d", "d", code], ["Number", -1, -1, code], ["Object", { d: 1 }, { d: 1 }, code]];
  }
  const { value, payload } = reference;
  const on = value !== false;
  const mismatch = on ? "TYPE_MISMATCH" : undefined;
  const text = typeof value === "string" ? value : on && typeof payload === "string" ? payload : undefined;
  const named = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined;
  const number = named ?? (on && typeof payload === "number" ? payload : undefined);
  const object = typeof payload === "object" && payload !== null ? payload : undefined;
  const row = (method, fallback, found) => (found === undefined ? [method, fallback, fallback, mismatch] : [method, fallback, found, undefined]);
  return [row("Boolean", !on, on), row("String", "d", text), row("Number", -1, number), row("Object", { d: 1 }, object)];
}
