import { FlagpostError } from "../errors.js";
import type { RefreshOptions } from "./options.js";
import { refresh } from "./refresh.js";
import type { RefreshReport } from "./types.js";

/** Options of `createScheduled`. */
export interface ScheduledOptions extends RefreshOptions {
  /** Whether a run counts as failed, so that the handler throws. Default: where `exitCode` is not 0. */
  fails?: ((report: RefreshReport) => boolean) | undefined;
  /** Gets the report as one line of JSON. Default: `console.log`. */
  log?: ((line: string, report: RefreshReport) => void) | undefined;
}

/** Members of a Worker that belong to its cron triggers. */
export interface ScheduledHandler<Env> {
  /** Refreshes once. Throws `FlagpostError` `refresh_failed`, so that the platform's log shows a failed run. */
  scheduled(controller: unknown, env: Env, ctx?: unknown): Promise<void>;
}

/**
 * A handler for cron triggers that refreshes the snapshot, one line of JSON a run. A run may take as long as
 * `patience` allows: 4 minutes with the defaults, of the 15 that Workers give it. Without a change it takes a
 * millisecond of CPU, with 1,000 changed flags some tens: more than the 10 of Workers' free plan.
 *
 * ```ts
 * export default {
 *   fetch: …,
 *   ...createScheduled((env: Env) => ({
 *     projectKey: env.POSTHOG_PROJECT_KEY,
 *     personalApiKey: env.POSTHOG_PERSONAL_API_KEY,
 *     target: env.FLAGS,
 *   })),
 * };
 * ```
 *
 * @param options The options, or what makes them of the run's `env`: bindings and secrets come with it.
 */
export function createScheduled<Env = unknown>(
  options: ScheduledOptions | ((env: Env) => ScheduledOptions | Promise<ScheduledOptions>),
): ScheduledHandler<Env> {
  return {
    async scheduled(_controller, env) {
      const chosen = typeof options === "function" ? await options(env) : options;
      const report = await refresh(chosen);
      const log = chosen.log ?? ((line) => console.log(line));
      log(JSON.stringify(report), report);
      const fails = chosen.fails ?? (({ exitCode }) => exitCode !== 0);
      if (fails(report)) throw new FlagpostError("refresh_failed", `${report.status}: ${report.message}`);
    },
  };
}
