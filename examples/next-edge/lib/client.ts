import { createFlags, createReader } from "flagpost/slim";
import { after } from "next/server";
import type { Flags } from "./flags";

const source = process.env.FLAGS_URL ?? "http://localhost:9000/flags.snapshot";

/**
 * Flags from a snapshot that is read over HTTP: a public bucket of S3 or R2, or any web server. Requests are not
 * held up when it expires: `after` lets the read go on behind the answer.
 */
export const flags = createFlags<Flags>({ reader: createReader({ source, ttl: 60, waitUntil: after }) });
