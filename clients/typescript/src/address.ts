import { chmod, lstat, unlink } from "node:fs/promises";
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
  const path = pathOf(address);
  if (Buffer.byteLength(path) > maxPathBytes) throw new Error(`its path has more than ${maxPathBytes} bytes`);
  if ((await isRefused(path)) && (await lstat(path)).isSocket()) await unlink(path); // a file refuses connections, too
}

/** Lets nobody but the owner connect to a Unix socket. To be called once it is there: Node has no way to say it before. */
export async function protect(address: string): Promise<void> {
  if (address.startsWith("unix:")) await chmod(pathOf(address), 0o600);
}

function pathOf(address: string): string {
  return address.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
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
