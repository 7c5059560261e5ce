/** The stored forms of one set of definitions, and who asks: files in a folder that every runtime can read. */
export const FILES = { snapshot: "flags.snapshot", definitions: "definitions.json", row: "row.json", people: "people.json" };
/** Snapshots to load one after the other: more than Flagpost remembers, so that each load is the first of its bytes. */
export const LOADED = Array.from({ length: 6 }, (_, index) => `loaded-${index}.snapshot`);

/**
 * @param {(name: string) => Uint8Array | Promise<Uint8Array>} read
 * @returns {Promise<object>} what `prepare` of core.mjs takes
 */
export async function inputsOf(read) {
  const text = async (name) => new TextDecoder().decode(await read(name));
  const { keys, users, checked } = JSON.parse(await text(FILES.people));
  const loaded = await Promise.all(LOADED.map(read));
  return { loaded, snapshot: await read(FILES.snapshot), definitions: await text(FILES.definitions), row: await text(FILES.row), keys, users, checked };
}
