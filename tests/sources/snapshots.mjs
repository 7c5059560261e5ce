import { compiledSnapshot } from "../../js/test/compiler.mjs";

/** A snapshot with one flag of that name and, to make it long, a payload of so many bytes that compress badly. */
export function named(name, payloadBytes = 0) {
  let seed = 1;
  const next = () => String.fromCharCode(97 + ((seed = (seed * 48_271) % 2_147_483_647) % 26));
  const payloads = { true: JSON.stringify(Array.from({ length: payloadBytes }, next).join("")) };
  const time = "2024-05-01T10:00:00Z";
  const header = { etag: null, digest: `sha256:${name}`, fetched_at: time, checked_at: time, format: 2 };
  return compiledSnapshot(header, { flags: [{ key: name, active: true, filters: { groups: [{ rollout_percentage: 100 }], payloads } }] });
}
