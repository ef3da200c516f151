import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

const maxPathBytes = 107; // Linux's; Node cuts longer ones off

/**
 * Makes an address fit to listen on: refuses what grpc-js would take for another one, and removes the Unix socket of a
 * server that was killed, as gRPC does in other languages.
 *
 * @throws Error that says what is wrong.
 */
export async function prepare(address: string): Promise<void> {
  if (!address.startsWith("unix:")) {
    if (!/:\d+$/.test(address)) throw new Error("it has no port");
    return;
  }
  const path = address.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
  if (Buffer.byteLength(path) > maxPathBytes) throw new Error(`its path has more than ${maxPathBytes} bytes`);
  if ((await isRefused(path)) && (await lstat(path)).isSocket()) await unlink(path); // a file refuses connections, too
}

async function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"));
  });
}
