import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import process from "node:process";

import { urlSource } from "../entry/inline.js";
import { Failure, reasonOf } from "./failure.js";
import { visible } from "./text.js";

/** The bytes that an argument names: a file, an http(s) URL, or `-` for standard input. */
export async function readInput(name: string, headerEnv: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  if (/^https?:\/\//i.test(name)) return readUrl(name, headersOf(headerEnv));
  if (headerEnv.length > 0) throw new Failure("usage", "--header-env is for a snapshot behind a URL: give https://… or leave it out");
  const shown = name === "-" ? "standard input" : visible(name);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = name === "-" ? await readStandardInput() : readFileSync(name);
  } catch (error) {
    throw new Failure("input", `${shown} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  if (bytes.length === 0) throw new Failure("input", `${shown} is empty: give a snapshot, or definitions as JSON`);
  return bytes;
}

async function readStandardInput(): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readUrl(url: string, headers: Record<string, string>): Promise<Uint8Array<ArrayBuffer>> {
  const source = urlSource(url, { headers });
  const result = await source.read(undefined);
  if (result === null || result === "unchanged") {
    throw new Failure("input", `${source.describe} holds nothing: has the refresher run? (status 404)`);
  }
  return new Uint8Array(result.bytes);
}

/** Headers whose values are in the environment, so that no secret is an argument that others can see. */
function headersOf(given: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of given) {
    const [, name, variable] = /^([\w!#$%&'*+.^`|~-]+)=(\w+)$/.exec(pair) ?? [];
    // What was given is not repeated: it may be the secret itself.
    if (name === undefined || variable === undefined) {
      throw new Failure("usage", "--header-env takes a header and a variable's name: --header-env authorization=FLAGS_TOKEN");
    }
    const value = process.env[variable];
    if (value === undefined || value === "") throw new Failure("usage", `--header-env: the variable ${variable} is not set`);
    headers[name] = value;
  }
  return headers;
}
