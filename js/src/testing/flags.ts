import { Layer, NoOrigin, type Known } from "../flags/origin.js";
import { knownValue, overriding, type FlagValue, type Overrides } from "../flags/overrides.js";
import type { AnyFlags, Flags, FlagTypes, ForUserOptions, KeyOf, PayloadOf, UserFlags, ValueOf } from "../flags/types.js";
import { FlagsOfUser } from "../flags/user.js";
import type { User } from "../types.js";
import { assertUser } from "../user.js";

/** One question that code under test has asked. */
export interface Asked {
  readonly distinctId: string;
  readonly key: string;
  /** The value that it was given. */
  readonly value: boolean | string | undefined;
}

/** A client for tests, with values to be set. */
export interface TestFlags<M extends FlagTypes<M> = AnyFlags> extends Flags<M> {
  /** Gives a flag a value for everybody, from the next `forUser` on; undefined takes back what was set. */
  set<K extends KeyOf<M>>(key: K, value: FlagValue<ValueOf<M, K>, PayloadOf<M, K>> | undefined): void;
  /** Takes back all that was set, and forgets what was asked. */
  reset(): void;
  /** What was asked of `isEnabled`, `getFeatureFlag` and `getFeatureFlagResult`, in order. */
  readonly asked: readonly Asked[];
}

/**
 * Makes a client that answers with given values instead of a snapshot's; all else it does as `createFlags` does. A
 * flag without a value is `flag_not_found`; results have the source `override` and no snapshot.
 *
 * ```ts
 * const flags = createTestFlags({ "new-checkout": true });
 * await codeUnderTest(flags);
 * assert.deepEqual(flags.asked, [{ distinctId: "user-1", key: "new-checkout", value: true }]);
 * ```
 *
 * @param values Flag key -> `true`, `false`, a variant's name, or `{ value, payload }`; or a function of the user.
 * @throws FlagpostError `invalid_options` where a value is none
 */
export function createTestFlags<M extends FlagTypes<M> = AnyFlags>(values?: Overrides<M>): TestFlags<M> {
  return new Client(values);
}

class Client<M extends FlagTypes<M>> implements TestFlags<M> {
  readonly #valuesOf: (user: User) => ReadonlyMap<string, Known>;
  readonly #set = new Map<string, Known>();
  #asked: Asked[] = [];

  constructor(values: Overrides<M> | undefined) {
    this.#valuesOf = overriding(values);
  }

  get asked(): readonly Asked[] {
    return this.#asked.slice();
  }

  set<K extends KeyOf<M>>(key: K, value: FlagValue<ValueOf<M, K>, PayloadOf<M, K>> | undefined): void {
    if (value === undefined) this.#set.delete(key);
    else this.#set.set(key, knownValue(key, value));
  }

  reset(): void {
    this.#set.clear();
    this.#asked = [];
  }

  async forUser(user: User, _options?: ForUserOptions): Promise<UserFlags<M>> {
    assertUser(user);
    const known = new Map([...this.#valuesOf(user), ...this.#set]);
    const { distinctId } = user;
    return new FlagsOfUser<M>(new Layer(new NoOrigin("flag_not_found"), known, "override"), ({ key, value }) => {
      this.#asked.push({ distinctId, key, value });
    });
  }
}
