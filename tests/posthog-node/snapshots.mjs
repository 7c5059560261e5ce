/** Snapshots of definitions as text, and sources that hold what they are given. */
import { createHash } from "node:crypto";
import { snapshot } from "../../js/test/snapshot.mjs";

const encode = (text) => new TextEncoder().encode(text);

/** Definitions, byte for byte, between a header that fits them and a ruleset, which no provider looks at. */
export function snapshotOf(text) {
  const definitions = encode(text);
  const digest = `sha256:${createHash("sha256").update(definitions).digest("hex")}`;
  return snapshot({ format: 1, digest }, null, { CODE: encode("no ruleset"), DEFS: definitions }, ["HEAD", "CODE", "DEFS"]);
}

/** A source whose content is set; an error is thrown, null is nothing stored. It notes what it is asked. */
export function sourceWith(content) {
  return {
    describe: "the source of this test",
    content,
    asked: [],
    sent: 0,
    async read(previous) {
      this.asked.push(previous?.version);
      if (this.content instanceof Error) throw this.content;
      if (this.content === null) return null;
      const version = createHash("sha256").update(this.content).digest("hex");
      if (version === previous?.version) return "unchanged";
      this.sent += 1;
      return { bytes: this.content, version };
    },
  };
}

export function onFlag(key, more = {}) {
  return { key, active: true, filters: { groups: [{ properties: [], rollout_percentage: 100 }] }, ...more };
}

export const textOf = (...flags) => JSON.stringify({ flags, group_type_mapping: {}, cohorts: {} });

/** Frozen all the way down: a change of it throws. */
export function frozen(value) {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
