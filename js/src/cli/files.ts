import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
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

/** Replaces a file whole or not at all. One that is the same already is left alone, for those who watch it. */
export function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    // `/dev/null`, or a pipe: what is written to, not replaced.
    if (found !== undefined && !found.isFile()) return writeFileSync(path, text);
    if (found !== undefined && readFileSync(path, "utf8") === text) return;
    writeFileSync(unfinished, text);
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new Failure("output", `${visible(path)} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}
