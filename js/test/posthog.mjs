/** A stand-in for PostHog's server, and the real posthog-node talking to it. */
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";
import { PostHog } from "posthog-node";

/** Records every request as { path, body } and answers with `answer.current(request)`: { status, body }, or never if that is undefined. */
export async function standIn() {
  const requests = [];
  const answer = { current: () => ({ status: 200, body: {} }) };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const sent = Buffer.concat(chunks);
      const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
      const recorded = { path: request.url, method: request.method, headers: request.headers, body: JSON.parse(text) };
      requests.push(recorded);
      const answered = answer.current(recorded);
      if (answered === undefined) return;
      if (answered === "hang up") return request.socket.destroy();
      const { status = 200, body } = answered;
      response.writeHead(status, { "content-type": "application/json" }).end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
    });
  });
  const host = await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
  return {
    host,
    requests,
    answer,
    /** The events that have arrived, in order, forgotten here. */
    events: () => requests.splice(0).flatMap(({ body }) => body.batch),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The pinned posthog-node with these definitions. */
export function reference(definitions, options = {}) {
  return new PostHog("phc_project", {
    flagDefinitionCacheProvider: {
      getFlagDefinitions: () => structuredClone(definitions),
      shouldFetchFlagDefinitions: () => false,
      onFlagDefinitionsReceived: () => {},
      shutdown: () => {},
    },
    strictLocalEvaluation: true,
    flushAt: 100_000,
    flushInterval: 0,
    fetchRetryCount: 0,
    featureFlagsLogWarnings: false,
    ...options,
  });
}
