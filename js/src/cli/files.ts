import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";

import { Failure, reasonOf } from "./failure.js";
import { visible } from "./text.js";

/** A file's text; undefined when there is no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw new Failure("input", `${visible(path)} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** Replaces a file whole or not at all; of a link, what it leads to. One that is the same already is left alone, for those who watch it. */
export function writeWhole(path: string, text: string): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    // `/dev/null`, or a pipe: what is written to, not replaced.
    if (found !== undefined && !found.isFile()) return writeFileSync(path, text);
    if (found !== undefined && readFileSync(path, "utf8") === text) return;
    replace(found === undefined ? path : realpathSync(path), text);
  } catch (error) {
    throw new Failure("output", `${visible(path)} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

function replace(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, text);
    renameSync(unfinished, path);
  } catch (error) {
    try {
      rmSync(unfinished, { force: true });
    } catch {
      // Where nothing could be made, there may be nothing to remove: below a path that is a file.
    }
    throw error;
  }
}
