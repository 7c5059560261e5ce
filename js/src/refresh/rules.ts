import { callsOf, type Call } from "../calls.js";
import type { FlagpostError } from "../errors.js";

/** Bits of `publish`'s choices: see `evaluator-wasm/src/publish.rs`. */
const [ALLOW_EMPTY, FORCE, SAME_PROJECT, CLEARED] = [1, 2, 4, 8];

/** What the gate is told. */
export interface Gate {
  readonly allowEmpty: boolean;
  readonly force: boolean;
  /** In percent. */
  readonly maxRemoved: number;
  /** Whether what is stored came from the same project. */
  readonly sameProject: boolean;
  /** Whether a policy put the definitions in the place of some that did not come. */
  readonly cleared: boolean;
}

let call: Call;

/** Each entry says where the module with the rules comes from; nothing is done before the first use. */
export function provideRules(moduleOf: () => WebAssembly.Module): void {
  call = callsOf(moduleOf);
}

/** Name and version that a header gives as the snapshot's writer. */
export function generator(): string {
  return call((glue) => glue.generator());
}

/** The parts of a whole snapshot. Throws `FlagpostError` `damaged_snapshot`. */
export function inspect(snapshot: Uint8Array): { header: Uint8Array; definitions: Uint8Array } {
  const [start, end, first, last] = call((glue) => glue.inspect(snapshot));
  return { header: snapshot.subarray(start, end), definitions: snapshot.subarray(first, last) };
}

/**
 * A snapshot of definitions, if they may replace what is held. Throws an error with one of the module's
 * codes: `invalid_json`, `invalid_definitions`, `empty_refused`, `mass_deletion`, `older`.
 */
export function publish(definitions: Uint8Array, header: string, held: Uint8Array, gate: Gate): Uint8Array {
  const { allowEmpty, force, sameProject, cleared, maxRemoved } = gate;
  const choices = bit(allowEmpty, ALLOW_EMPTY) | bit(force, FORCE) | bit(sameProject, SAME_PROJECT) | bit(cleared, CLEARED);
  return call((glue) => glue.publish(definitions, header, held, choices, maxRemoved));
}

/** What takes the place of definitions that a policy clears. */
export function noFlags(): Uint8Array {
  return call((glue) => glue.no_flags());
}

/** The same snapshot with another header. */
export function renew(snapshot: Uint8Array, header: string, writtenBy: string): Uint8Array {
  return call((glue) => glue.renew(snapshot, header, writtenBy));
}

/** Whether definitions are newer than others by their flags' versions. */
export function order(definitions: Uint8Array, others: Uint8Array): "newer" | "older" | "untold" {
  const found = call((glue) => glue.order(definitions, others));
  return found === 1 ? "newer" : found === -1 ? "older" : "untold";
}

/** The module's code of what `publish` throws. */
export function codeOf(error: unknown): string | undefined {
  return (error as FlagpostError | undefined)?.code;
}

function bit(set: boolean, value: number): number {
  return set ? value : 0;
}
