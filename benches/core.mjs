/**
 * The benchmark itself: the same file in Node, Deno, Bun and workerd. It makes the contenders ready, checks
 * that they agree, and runs one of them so many times. It reads no clock: see schedule.mjs.
 */
import { agreement } from "./agreement.mjs";
import { PARSE } from "./cases.mjs";
import * as flagpost from "./contenders/flagpost.mjs";
import * as plain from "./contenders/plain.mjs";
import * as posthogConvex from "./contenders/posthog-convex.mjs";
import * as posthogNode from "./contenders/posthog-node.mjs";

const CONTENDERS = [flagpost, posthogNode, posthogConvex, plain];

/** Where the last result stays, so that no compiler finds that nobody wants it. */
let sink;
export const lastResult = () => sink;

/**
 * @param {{snapshot: Uint8Array, loaded: Uint8Array[], definitions: string, row: string, keys: string[], users: object[], checked: {full: object[], sparse: object[]}}} inputs
 * @returns {Promise<{disagreements: string[], calls: Record<string, Record<string, {run: () => unknown, idle: () => unknown}>>}>}
 */
export async function prepare(inputs) {
  // posthog-node's advice about flags that it leaves to the server.
  console.warn = () => {};
  const opened = [];
  for (const contender of CONTENDERS) opened.push({ contender, handle: await contender.ready(contender.open(inputs[contender.stored])) });
  const disagreements = await agreement(opened, inputs);
  return { disagreements, calls: callsOf(opened, inputs) };
}

function callsOf(opened, { keys, users, ...inputs }) {
  let turn = 0;
  let arrived = 0;
  const flags = JSON.parse(inputs.definitions).flags;
  const lastKey = flags[flags.length - 1].key;
  const nextKey = () => keys[turn % keys.length];
  /** A user like one that a request brings: objects that nobody has seen before. */
  const nextUser = () => {
    const { distinctId, personProperties, groups, groupProperties } = users[++turn % users.length];
    const { organization, project } = groupProperties;
    return { distinctId, personProperties: { ...personProperties }, groups: { ...groups }, groupProperties: { organization: { ...organization }, project: { ...project } } };
  };
  const calls = { all: {}, object: {}, ten: {}, one: {}, ready: {}, loadOne: {}, loadAll: {} };
  for (const { contender, handle } of opened) {
    const { name, stored } = contender;
    const asking = (ask) => ({ run: () => ask(nextUser()), idle: nextUser });
    calls.all[name] = asking((user) => contender.all(handle, user, lastKey));
    calls.object[name] = asking((user) => contender.object(handle, user));
    calls.ten[name] = asking((user) => contender.some(handle, user, keys));
    calls.one[name] = asking((user) => contender.one(handle, user, nextKey()));
    // Bytes arrive in a buffer of their own each time; the copy is no part of loading.
    const arrive = stored === "snapshot" ? () => inputs.loaded[++arrived % inputs.loaded.length].slice() : () => inputs[stored];
    const loading = (ask) => ({ run: () => closing(contender, contender.open(arrive()), ask), idle: () => [arrive(), nextUser()] });
    calls.ready[name] = { run: () => closing(contender, contender.open(arrive()), contender.ready), idle: arrive };
    calls.loadOne[name] = loading((fresh) => contender.one(fresh, nextUser(), nextKey()));
    calls.loadAll[name] = loading((fresh) => contender.all(fresh, nextUser(), lastKey));
  }
  calls.ready[PARSE] = { run: () => JSON.parse(inputs.definitions), idle: () => inputs.definitions };
  return calls;
}

function closing(contender, handle, ask) {
  const result = ask(handle);
  if (!(result instanceof Promise)) {
    contender.close(handle);
    return result;
  }
  return result.then((settled) => {
    contender.close(handle);
    return settled;
  });
}

/** Calls so many times, one after the other. */
export async function repeat(call, times) {
  for (let index = 0; index < times; index++) {
    const result = call();
    sink = result instanceof Promise ? await result : result;
  }
}
