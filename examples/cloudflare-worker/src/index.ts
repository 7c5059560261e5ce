/**
 * Answers feature flags from the snapshot that the refresher keeps in Workers KV.
 *
 *   GET  /?user=ID&flag=KEY&properties=JSON&groups=JSON&groupProperties=JSON
 *   POST /?flag=KEY          with a User as JSON
 *
 * All but the user are optional; without a flag, all flags are answered.
 */
import { createReader, evaluate, FlagpostError, type Reader, type User } from "flagpost/slim";

interface Env {
  FLAGS: KVNamespace;
}

class BadRequest extends Error {}

let reader: Reader | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    try {
      reader ??= createReader({ source: env.FLAGS, ttl: 60 });
      const flag = new URL(request.url).searchParams.get("flag");
      const user = await userOf(request);
      const definitions = await reader.current();
      const answers = evaluate(definitions, user, flag === null ? {} : { flagKeys: [flag] });
      return json(200, { ...answers, snapshot: { ...definitions.info, ageSeconds: definitions.ageSeconds } });
    } catch (error) {
      if (error instanceof BadRequest || (error instanceof FlagpostError && error.code === "invalid_user")) {
        return json(400, { error: error.message });
      }
      if (error instanceof FlagpostError) return json(503, { error: error.message, code: error.code });
      throw error;
    }
  },
};

async function userOf(request: Request): Promise<User> {
  if (request.method === "POST") return parse<User>("the body", await request.text());
  const query = new URL(request.url).searchParams;
  const distinctId = query.get("user");
  if (!distinctId) throw new BadRequest("who asks? add ?user=DISTINCT_ID, or POST a user as JSON");
  const member = <T>(name: string) => parse<T | undefined>(name, query.get(name) ?? undefined);
  return {
    distinctId,
    personProperties: member<User["personProperties"]>("properties"),
    groups: member<User["groups"]>("groups"),
    groupProperties: member<User["groupProperties"]>("groupProperties"),
  };
}

function parse<T>(name: string, text: string | undefined): T {
  try {
    return text === undefined ? (undefined as T) : JSON.parse(text);
  } catch {
    throw new BadRequest(`${name} is not JSON: write it as {"plan":"pro"}, and encode it in a URL`);
  }
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
