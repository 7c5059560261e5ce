import { ProviderNotReadyError } from "@openfeature/core";
import type { FlagTypes, UserFlags } from "../flags/types.js";
import type { User } from "../types.js";

/** Nobody is evaluated: it is asked for no flag, only so that the snapshot is read. */
export const PRELOAD: User = { distinctId: "flagpost" };

/**
 * The same flags, unless nothing stands behind them. A client that doesn't throw without a snapshot says so only in
 * its results; one that a test made of overrides alone has no snapshot either, and is in order.
 */
export function answering<M extends FlagTypes<M>>(flags: UserFlags<M>): UserFlags<M> {
  if (flags.snapshot !== null || Object.keys(flags.getAllFlags()).length > 0) return flags;
  throw new ProviderNotReadyError("there is no snapshot that may be used: the client's onError was told why");
}
