import { fileURLToPath } from "node:url";

import { FlagpostError } from "../errors.js";

/** A path, or a `file:` URL. */
export type PathLike = string | { readonly href: string };

/** The path that is meant. */
export function pathOf(path: PathLike): string {
  if (typeof path === "string" && path !== "") return path;
  try {
    return fileURLToPath(path);
  } catch (cause) {
    throw new FlagpostError("invalid_options", "this is no path and no file: URL: pass the path of a file or folder", { cause });
  }
}
