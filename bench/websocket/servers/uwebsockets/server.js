// The server under measurement with uWebSockets (C++), through Bun.
import { heapStats } from "bun:jsc";

const deflate = Bun.argv[Bun.argv.indexOf("-deflate") + 1];
const compressed = deflate !== "off";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    if (server.upgrade(request, { data: new URL(request.url).pathname })) return;
    return new Response("not a WebSocket handshake", { status: 400 });
  },
  websocket: {
    maxPayloadLength: 1 << 20,
    backpressureLimit: 64 << 20, // never drop a message
    // "dedicated": a window for each connection; "shared": none
    perMessageDeflate: { off: false, "no-takeover": { compress: "shared", decompress: "shared" }, takeover: { compress: "dedicated", decompress: "dedicated" } }[deflate],
    open(ws) {
      if (ws.data === "/subscribe") ws.subscribe("room");
    },
    message(ws, message) {
      if (ws.data === "/echo") ws.send(message, compressed);
      else if (ws.data === "/publish") server.publish("room", message, compressed);
    },
  },
});
console.log(`127.0.0.1:${server.port}`);

// A line on standard input asks for the memory in use; its end ends us.
process.stdin.on("data", () => {
  Bun.gc(true);
  console.log(heapStats().heapSize);
});
process.stdin.on("end", () => process.exit(0));
