import type { User } from "flagpost/slim";

export class BadRequest extends Error {}

/** Who asks. In an application that is known by the session; here the request says so. */
export async function userOf(request: Request): Promise<User> {
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
