/** What a page says, in a real browser. */
import { createServer } from "node:http";
import { unpackBrowser } from "../packaging/browser.mjs";

const TELL = `<script type="module">
  const tell = () => (document.body.innerText.trim() === "" ? setTimeout(tell, 50) : fetch("/said", { method: "POST", body: document.body.innerText }));
  const fail = (event) => fetch("/said", { method: "POST", body: String(event.error ?? event.reason ?? event.message) });
  addEventListener("error", fail);
  addEventListener("unhandledrejection", fail);
  tell();
</script>`;

/** The text of a page, as soon as it has any. The page is passed on with a script that tells. */
export async function textOf(address) {
  let said;
  const server = createServer(async (request, response) => {
    if (request.url === "/said") {
      said = "";
      for await (const chunk of request) said += chunk;
      return response.end();
    }
    const answer = await fetch(new URL(request.url, address), { headers: { accept: request.headers.accept ?? "*/*" } });
    const type = answer.headers.get("content-type") ?? "application/octet-stream";
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { "content-type": type }).end(type.includes("html") ? TELL + body : body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const unpacked = unpackBrowser();
  try {
    const browser = unpacked.open(`http://127.0.0.1:${server.address().port}/`);
    try {
      await browser.waitFor("text of the page", () => said);
      return said;
    } finally {
      await browser.stop();
    }
  } finally {
    unpacked.remove();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
