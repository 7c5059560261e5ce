/** The receiving end of systemd's notify socket, for Deno: Node has no datagram sockets of the Unix kind. */
const socket = Deno.listenDatagram({ transport: "unixpacket", path: Deno.args[0] });
console.log("listening");
for await (const [bytes] of socket) console.log(new TextDecoder().decode(bytes).trim());
