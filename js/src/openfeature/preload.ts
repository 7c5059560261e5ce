import type { User } from "../types.js";

/** Nobody is evaluated: it is asked for no flag, only so that the snapshot is read. */
export const PRELOAD: User = { distinctId: "flagpost" };
