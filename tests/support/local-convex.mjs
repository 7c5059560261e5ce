/**
 * A Convex deployment on this machine: functions run by convex-test, Convex's own stand-in for its
 * database, behind a server that speaks Convex's HTTP API as documented and as its open source server
 * has it. It enforces what the real one does: deploy keys, internal functions, sizes of arguments,
 * documents, transactions and results, one mutation after the other.
 */
import { createServer } from "node:http";
import { convexTest } from "convex-test";
import { defineSchema, makeFunctionReference } from "convex/server";
import { convexToJson, getConvexSize, getDocumentSize, jsonToConvex } from "convex/values";
import { flagpostTables } from "flagpost/convex";
import * as flagpost from "flagpost/convex";

const KEY = "prod:flagpost-test-123|b0ndEd5ecretOfTheDeployKey";
const MIB = 1 << 20;
const MAX_ARGUMENTS = 16 * MIB;
const MAX_RESULT = 16 * MIB;
const MAX_DOCUMENT = MIB;
const FORMATS = { convex_encoded_json: convexToJson, json: cleanJson };

/**
 * Starts a deployment. Its modules are by name what files in `convex/` export. `lose(path)` may say
 * that the answer to a call that was done gets lost.
 *
 * @returns `{ url, key, environment, calls, run, stop }`: `calls` are the paths called, `run(handler)`
 *   looks into the database
 */
export async function startConvex({ schema = defineSchema(flagpostTables), modules = { flagpost }, lose = () => false } = {}) {
  const files = { "./_generated/api.js": async () => ({}) };
  for (const [name, module] of Object.entries(modules)) files[`./${name}.js`] = async () => withDocumentLimit(module);
  const test = convexTest({ schema, modules: files, transactionLimits: true });
  const calls = [];

  async function answer(request, body) {
    const kind = /^\/api\/(query|mutation|action)$/.exec(request.url)?.[1];
    if (kind === undefined || request.method !== "POST") return refuse(404, "NotFound", "no such endpoint");
    const identity = identify(request.headers.authorization);
    if (identity.refusal) return identity.refusal;

    const { path, args, format = "json" } = body;
    if (!/^[\w/]+:\w+$/.test(path)) return refuse(400, "BadConvexFunctionIdentifier", `${path} is not a valid path to a Convex function.`);
    if (!(format in FORMATS)) return refuse(400, "BadFormat", `format param must be one of [\`json\`]. Got ${format}`);
    calls.push(path);

    const [file, name] = path.split(":");
    const found = modules[file]?.[name];
    if (!(found?.isQuery || found?.isMutation || found?.isAction) || (found.isInternal && !identity.admin)) {
      return failure(`Could not find public function for '${path}'. Did you forget to run \`npx convex dev\` or \`npx convex deploy\`?`);
    }
    const defined = found.isQuery ? "query" : found.isMutation ? "mutation" : "action";
    if (defined !== kind) return failure(`Trying to execute ${file}.js:${name} as ${title(kind)}, but it is defined as ${title(defined)}.`);
    try {
      const parsed = jsonToConvex(Array.isArray(args) ? args[0] : args);
      if (getConvexSize([parsed]) > MAX_ARGUMENTS) return failure(`Arguments for ${file}.js:${name} are too large (limit: 16 MiB)`);
      const value = await test[kind](makeFunctionReference(path), parsed);
      if (getConvexSize(value) > MAX_RESULT) return failure(`Function ${file}.js:${name} return value is too large (limit: 16 MiB)`);
      return { status: 200, json: { status: "success", value: FORMATS[format](value) } };
    } catch (error) {
      return failure(`Uncaught Error: ${error.message}`);
    }
  }

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = parse(Buffer.concat(chunks).toString());
    const { status, json } =
      body === undefined ? refuse(400, "BadJsonBody", "the body is no JSON") : await answer(request, body);
    if (status === 200 && json.status === "success" && lose(body.path)) return response.destroy();
    response.writeHead(status, { "content-type": "application/json" }).end(toText(json));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    key: KEY,
    environment: { FLAGPOST_TEST_CONVEX_URL: url, FLAGPOST_TEST_CONVEX_KEY: KEY },
    calls,
    run: test.run,
    stop: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
}

/** Who asks, by the Authorization header: nobody in particular, or the owner of the deploy key. */
function identify(header) {
  if (header === undefined) return { admin: false };
  if (header.length < 7) return { refusal: refuse(400, "InvalidHeaderFailure", "Invalid authentication header") };
  if (!/^convex /i.test(header)) return { refusal: refuse(401, "InvalidAuthHeader", "Could not parse auth header") };
  if (header.slice(7) === KEY) return { admin: true };
  const message = "The provided deploy key was invalid for this deployment. Double check that the environment this key was generated for matches the desired deployment.";
  return { refusal: refuse(403, "BadDeployKey", message) };
}

function refuse(status, code, message) {
  return { status, json: { code, message } };
}

/** What a function that failed answers; its status is a success. */
function failure(message) {
  return { status: 200, json: { status: "error", errorMessage: `[Request ID: 0123456789abcdef] Server Error\n${message}`, logLines: [] } };
}

function title(kind) {
  return kind[0].toUpperCase() + kind.slice(1);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The format `json`: bytes are base64 without a mark, for there is no schema to tell them by. */
function cleanJson(value) {
  const clean = (json) => {
    if (typeof json !== "object" || json === null) return json;
    if (Array.isArray(json)) return json.map(clean);
    if (typeof json.$bytes === "string") return json.$bytes;
    return Object.fromEntries(Object.entries(json).map(([key, part]) => [key, clean(part)]));
  };
  return clean(convexToJson(value));
}

/** JSON text in which whole numbers look like the doubles they are, as Convex writes them. */
function toText(json) {
  if (typeof json === "number") return Number.isInteger(json) ? json.toFixed(1) : String(json);
  if (Array.isArray(json)) return `[${json.map(toText).join()}]`;
  if (typeof json !== "object" || json === null) return JSON.stringify(json);
  return `{${Object.entries(json).map(([key, part]) => `${JSON.stringify(key)}:${toText(part)}`).join()}}`;
}

/** The functions of a module, refused documents that Convex would refuse, which convex-test takes. */
function withDocumentLimit(module) {
  const check = (document) => {
    const size = getDocumentSize(document);
    if (size > MAX_DOCUMENT) throw new Error(`Value is too large (${size} bytes > maximum size 1 MiB)`);
  };
  const limited = (db) =>
    new Proxy(db, {
      get(target, name) {
        const method = target[name];
        if (typeof method !== "function") return method;
        if (!["insert", "patch", "replace"].includes(name)) return method.bind(target);
        return async (...parts) => {
          const result = await method.apply(target, parts);
          check(await target.get(name === "insert" ? result : parts.at(-2)));
          return result;
        };
      },
    });
  const wrap = (fn) =>
    new Proxy(fn, {
      get: (target, name) =>
        name === "_handler" ? (ctx, args) => target._handler({ ...ctx, db: limited(ctx.db) }, args) : target[name],
    });
  return Object.fromEntries(
    Object.entries(module).map(([name, value]) => [name, value?.isMutation ? wrap(value) : value]),
  );
}
