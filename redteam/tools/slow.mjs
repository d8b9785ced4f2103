// Holds connections open with a byte now and then: PORT COUNT MS.
import { connect } from "node:net";

const [port, count, ms] = process.argv.slice(2).map(Number);
const sockets = new Set();
const open = () => {
  const socket = connect(port, "127.0.0.1", () => socket.write(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\n`));
  sockets.add(socket);
  socket.on("error", () => {}).on("close", () => sockets.delete(socket));
};
for (let n = 0; n < count; n += 1) open();
const drip = setInterval(() => {
  for (const socket of sockets) socket.write("X: y\r\n");
  while (sockets.size < count) open();
}, 200);
setTimeout(() => {
  clearInterval(drip);
  for (const socket of sockets) socket.destroy();
}, ms);
