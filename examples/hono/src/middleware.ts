import { createExposures, createFlags, createReader, type Flags, type User, type UserFlags } from "flagpost/slim";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Flags as Map } from "./flags";

export interface FlagsEnv {
  Bindings: { FLAGS: KVNamespace; POSTHOG_PROJECT_KEY?: string; POSTHOG_HOST?: string };
  Variables: { flags: UserFlags<Map> };
}

let flags: Flags<Map> | undefined;

/** Puts the flags of whoever asks on the context: `c.var.flags`. */
export function flagsOf(userOf: (c: Context<FlagsEnv>) => User | Promise<User>) {
  return createMiddleware<FlagsEnv>(async (c, next) => {
    flags ??= createFlags<Map>({ reader: createReader({ source: c.env.FLAGS, ttl: 60 }), exposures: exposuresOf(c.env) });
    c.set("flags", await flags.forUser(await userOf(c), { ctx: c.executionCtx }));
    await next();
  });
}

function exposuresOf({ POSTHOG_PROJECT_KEY: projectKey, POSTHOG_HOST: host }: FlagsEnv["Bindings"]) {
  return projectKey ? createExposures({ projectKey, host }) : undefined;
}
