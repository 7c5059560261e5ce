/**
 * Realistic definitions and users: the generator of the shared benchmark. FLAGPOST_BENCH names its folder, else
 * it lies beside the project.
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const BUDGETS = JSON.parse(readFileSync(new URL("../budgets.json", import.meta.url), "utf8"));

const FOLDER = process.env.FLAGPOST_BENCH ?? fileURLToPath(new URL("../../../shared/bench", import.meta.url));
const GENERATOR = resolve(FOLDER, "gen.mjs");

/** Why tests that need it are skipped, if they are. */
export const missing = !process.env.FLAGPOST_BENCH && !existsSync(GENERATOR) && `no generator of definitions: ${GENERATOR} does not exist; name its folder in FLAGPOST_BENCH`;

export const generator = () => import(pathToFileURL(GENERATOR).href);
