import type { AllFound, Origin } from "./origin.js";
import type {
  AnyFlags,
  FlagResult,
  FlagsAndPayloads,
  FlagTypes,
  KeyOf,
  NoValueReason,
  PayloadOf,
  SnapshotState,
  UserFlags,
  ValueOf,
} from "./types.js";

/** The flags of one user, from wherever they come. */
export class FlagsOfUser<M extends FlagTypes<M> = AnyFlags> implements UserFlags<M> {
  readonly snapshot: SnapshotState | null;
  readonly #origin: Origin;
  readonly #read: ((result: FlagResult) => void) | undefined;
  readonly #results = new Map<string, FlagResult>();
  #all: AllFound | undefined;

  /** `read` is told of every reading that is an exposure. */
  constructor(origin: Origin, read: ((result: FlagResult) => void) | undefined) {
    this.snapshot = origin.snapshot;
    this.#origin = origin;
    this.#read = read;
  }

  isEnabled<K extends KeyOf<M>>(key: K, defaultValue = false): boolean {
    const { value, enabled } = this.#exposed(key);
    return value === undefined ? defaultValue : enabled;
  }

  getFeatureFlag<K extends KeyOf<M>>(key: K): ValueOf<M, K> | undefined;
  getFeatureFlag<K extends KeyOf<M>>(key: K, defaultValue: ValueOf<M, K>): ValueOf<M, K>;
  getFeatureFlag<K extends KeyOf<M>>(key: K, defaultValue?: ValueOf<M, K>): ValueOf<M, K> | undefined {
    return (this.#exposed(key).value as ValueOf<M, K> | undefined) ?? defaultValue;
  }

  getFeatureFlagPayload<K extends KeyOf<M>>(key: K): PayloadOf<M, K> | undefined {
    return this.#result(key).payload as PayloadOf<M, K> | undefined;
  }

  getFeatureFlagResult<K extends KeyOf<M>>(key: K): FlagResult<ValueOf<M, K>, PayloadOf<M, K>> {
    return this.#exposed(key) as FlagResult<ValueOf<M, K>, PayloadOf<M, K>>;
  }

  getAllFlags(): FlagsAndPayloads<M>["featureFlags"] {
    return { ...this.#found().featureFlags } as FlagsAndPayloads<M>["featureFlags"];
  }

  getAllFlagsAndPayloads(): FlagsAndPayloads<M> {
    const { featureFlags, featureFlagPayloads } = this.#found();
    return { featureFlags: { ...featureFlags }, featureFlagPayloads: { ...featureFlagPayloads } } as FlagsAndPayloads<M>;
  }

  get unresolved(): Readonly<Partial<Record<KeyOf<M>, NoValueReason>>> {
    return { ...this.#found().unresolved } as Partial<Record<KeyOf<M>, NoValueReason>>;
  }

  #found(): AllFound {
    return (this.#all ??= this.#origin.all());
  }

  #exposed(key: string): FlagResult {
    const result = this.#result(key);
    this.#read?.(result);
    return result;
  }

  #result(key: string): FlagResult {
    let result = this.#results.get(key);
    if (result === undefined) {
      const { value, payload, source, reason } = this.#origin.find(key);
      result = {
        key,
        value,
        enabled: value !== undefined && value !== false,
        variant: typeof value === "string" ? value : undefined,
        payload,
        source,
        reason,
        snapshot: this.snapshot,
      };
      this.#results.set(key, result);
    }
    return result;
  }
}
