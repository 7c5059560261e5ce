import { DEFAULT_KEY, type Source } from "../source.js";

/** What is used of an R2 bucket binding. */
export interface R2Bucket {
  get(key: string, options?: { onlyIf?: { etagDoesNotMatch?: string } }): Promise<R2Found | null>;
  head(key: string): Promise<unknown>;
}

/** An object of a bucket; its body is missing when the condition said that it is unchanged. */
interface R2Found {
  readonly etag: string;
  arrayBuffer?: () => Promise<ArrayBuffer>;
}

/** Options of `r2Source`. */
export interface R2SourceOptions {
  /** The key the refresher writes. Default: `flagpost`. */
  key?: string | undefined;
}

/** Reads a snapshot from an R2 bucket binding; an unchanged one is not sent again. */
export function r2Source(bucket: R2Bucket, options: R2SourceOptions = {}): Source {
  const { key = DEFAULT_KEY } = options;
  return {
    describe: `the R2 object "${key}"`,
    writtenBy: `refresher run --store s3://BUCKET/${key}`,
    async read(previous) {
      const found =
        previous === undefined
          ? await bucket.get(key)
          : await bucket.get(key, { onlyIf: { etagDoesNotMatch: previous.version } });
      if (found === null) return null;
      if (found.arrayBuffer === undefined) return "unchanged";
      return { bytes: await found.arrayBuffer(), version: found.etag };
    },
  };
}
