import { EXIT } from "./failure.js";

const ENDS = `Exit codes: ${EXIT.ok} done · ${EXIT.usage} wrong arguments · ${EXIT.input} the snapshot cannot be read or is no good ·
  ${EXIT.output} the output cannot be written · ${EXIT.fault} a fault of this program`;

export const HELP = `flagpost: types and files for a project that evaluates PostHog's feature flags

Usage: flagpost COMMAND [OPTIONS]

Commands:
  types SNAPSHOT            write TypeScript for createFlags<Flags>(): keys, variants, payloads
  embed SNAPSHOT -o FILE    write a snapshot as a JavaScript module, to fall back on

Options:
  -h, --help                say more, of a command: flagpost types --help
  -V, --version             print the version

Snapshots are written by Flagpost's refresher, which can also show what is in one: refresher inspect SNAPSHOT

${ENDS}
`;

export const TYPES_HELP = `flagpost types: write the flags as TypeScript

Usage: flagpost types SNAPSHOT [-o FILE | --check FILE] [--off-is-false] [--header-env NAME=VARIABLE]

SNAPSHOT is a file, an http(s) URL, or - for standard input: a snapshot, or PostHog's definitions as JSON.

Options:
  -o, --output FILE         write to FILE, whole or not at all; without it, to standard output
  --check FILE              write nothing; end with ${EXIT.differs} if FILE is not what would be written, and name the flags
  --off-is-false            a flag that is switched off is false and nothing else: finds code that waits for it
  --header-env NAME=VARIABLE
                            send the header NAME with the value of an environment variable; repeatable

A flag is false, true or one of its variants, or held out ("holdout-7"). true is left out where variants share
everybody among them. Who is let in and whether a flag is switched on does not matter, for it changes while
programs run; nor does who answers: PostHog's server picks among the same variants. Payloads are described by
the JSON that is stored with the variants; encrypted ones are unknown. The output changes only when keys,
descriptions, variants, payloads or holdouts do, so commit it.

Examples:
  npx flagpost types flags.snapshot -o src/flags.d.ts
  npx flagpost types flags.snapshot --check src/flags.d.ts    in CI
  npx flagpost types https://flags.example.com/flagpost --header-env authorization=FLAGS_TOKEN -o src/flags.d.ts
  curl … | npx flagpost types - -o src/flags.d.ts

Exit codes: ${EXIT.ok} done, or no difference · ${EXIT.differs} --check found a difference · ${EXIT.usage} wrong arguments ·
  ${EXIT.input} the snapshot cannot be read or is no good · ${EXIT.output} the output cannot be written · ${EXIT.fault} a fault of this program
`;

export const EMBED_HELP = `flagpost embed: write a snapshot as a JavaScript module

Usage: flagpost embed SNAPSHOT -o FILE [--header-env NAME=VARIABLE]

SNAPSHOT is a file, an http(s) URL, or - for standard input, as the refresher wrote it. All of it is checked, and
FILE is replaced whole or not at all. FILE ends with .mjs or .js, beside which a .d.mts or .d.ts is written, or
with .mts or .ts. Its default export is the snapshot as base64, for embeddedSource: what is served before
anything could be read, and when nothing can.

Options:
  -o, --output FILE         the module to write
  --header-env NAME=VARIABLE
                            send the header NAME with the value of an environment variable; repeatable

Examples:
  npx flagpost embed flags.snapshot -o src/flags.snapshot.mjs     before each build, after a refresh
  refresher compile definitions.json -o flags.snapshot            for definitions as JSON, before that

A bundler can do without this command if it imports files as bytes: esbuild with --loader:.snapshot=binary
--target=es2022, wrangler with rules = [{ type = "Data", globs = ["**/*.snapshot"] }]. Both give what
embeddedSource and load take.

${ENDS}
`;
