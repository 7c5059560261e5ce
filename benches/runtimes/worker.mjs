/**
 * workerd runs this. Its clocks stand still while it computes, so it measures nothing: whoever asks it for so
 * many calls looks at the clock.
 */
import { prepare, repeat } from "../core.mjs";
import { inputsOf } from "../inputs.mjs";

let prepared;

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/prepare") {
      const read = async (name) => new Uint8Array(await (await env.FILES.fetch(`http://files/${name}`)).arrayBuffer());
      prepared = await prepare(await inputsOf(read));
      const names = Object.fromEntries(Object.entries(prepared.calls).map(([name, contenders]) => [name, Object.keys(contenders)]));
      return Response.json({ disagreements: prepared.disagreements, names });
    }
    const [name, contender, part, calls] = ["case", "contender", "part", "calls"].map((parameter) => searchParams.get(parameter));
    await repeat(prepared.calls[name][contender][part], Number(calls));
    return new Response(null, { status: 204 });
  },
};
