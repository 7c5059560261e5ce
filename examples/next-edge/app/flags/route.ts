import { FlagpostError } from "flagpost/slim";
import { flags } from "../../lib/client";

export const runtime = "edge";

/** All flags of the user in the body, for a front end. */
export async function POST(request: Request): Promise<Response> {
  try {
    const user = await flags.forUser(await request.json());
    return Response.json({ ...user.getAllFlagsAndPayloads(), unresolved: user.unresolved });
  } catch (error) {
    const asked = error instanceof SyntaxError || (error instanceof FlagpostError && error.code === "invalid_user");
    if (!asked) throw error;
    return Response.json({ error: error.message }, { status: 400 });
  }
}
