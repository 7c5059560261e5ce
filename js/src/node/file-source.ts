import { open, type FileHandle, type FileStats } from "node:fs/promises";
import { join } from "node:path";

import { versionOf, type Source, type SourceResult } from "../source.js";
import { isMissing } from "./errors.js";
import { pathOf, type PathLike } from "./paths.js";

/** Options of `fileSource`. */
export interface FileSourceOptions {
  /** The file to read when the path is a folder. Default: `flags.snapshot`, as the refresher calls it. */
  name?: string | undefined;
}

/**
 * Reads a snapshot from a file, in Node, Deno and Bun. A file whose time, size and number are those of the
 * last read is not read again. One that is replaced by a rename, as the refresher does, is read whole.
 *
 * @param path The file, or the folder that `--store file:FOLDER` names.
 */
export function fileSource(path: PathLike, options: FileSourceOptions = {}): Source {
  const { name = "flags.snapshot" } = options;
  const place = pathOf(path);
  return {
    describe: `the file ${place}`,
    writtenBy: "refresher run --store file:FOLDER",
    read: (previous) => read(place, name, previous),
  };
}

async function read(place: string, name: string, previous: { version: string } | undefined): Promise<SourceResult> {
  const file = await opened(place, name);
  if (file === null) return null;
  try {
    // Of the open file: whatever takes its place in the meantime is another one.
    const stamp = stampOf(await file.stat());
    const [knownStamp, knownContent] = previous?.version.split(" ") ?? [];
    if (stamp === knownStamp) return "unchanged";
    const bytes = viewless(await file.readFile());
    const content = versionOf(bytes);
    if (content !== undefined && content === knownContent) return "unchanged";
    return { bytes, version: content === undefined ? stamp : `${stamp} ${content}` };
  } finally {
    await file.close();
  }
}

/** The file, or the one in the folder; null when there is none. */
async function opened(place: string, name: string): Promise<FileHandle | null> {
  try {
    const found = await open(place, "r");
    if (!(await found.stat()).isDirectory()) return found;
    await found.close();
    return await open(join(place, name), "r");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function stampOf({ mtimeMs, size, ino }: FileStats): string {
  return `${mtimeMs}-${size}-${ino}`;
}

/** The bytes as a buffer of their own: small files come as a part of a buffer that Node shares out. */
function viewless({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}
