import { jobOf, type RefreshOptions } from "./options.js";
import { Place, type Outcome } from "./place.js";
import type { RefreshReport } from "./types.js";

/**
 * Brings one target up to date with PostHog, as one run of the refresher does: reads it, asks PostHog once
 * with what it holds, and writes only what passes the refresher's gate and reads back. A good snapshot is
 * only ever replaced by a good snapshot.
 *
 * Any number of these and of refreshers may take turns at one store. No versions for `refresher rollback`
 * are kept here; the next refresher that publishes adds the snapshot it finds. A pinned snapshot is left
 * alone. What a refresher filtered is replaced by all definitions.
 *
 * @returns what became of it; whatever PostHog and the target do, it does not throw
 * @throws FlagpostError `invalid_options`; `no_webassembly` and `trap` as `load`
 */
export async function refresh(options: RefreshOptions): Promise<RefreshReport> {
  const { place, closed } = await Place.open(await jobOf(options));
  if (closed !== undefined) return report(closed, 0);
  const { fresh, attempts } = await place.ask();
  return report(await place.settle(fresh), attempts);
}

function report({ status, reason, exitCode, message, ...others }: Outcome, attempts: number): RefreshReport {
  return { status, reason, exitCode, message, attempts, ...others };
}
