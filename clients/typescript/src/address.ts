import { chmod, lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

const maxPathBytes = 107; // limit of Linux; Node truncates longer paths

/**
 * Prepares an address for listening. Refuses addresses that grpc-js would misinterpret, and removes the Unix socket that a
 * killed server left behind, as gRPC does in other languages.
 *
 * @throws Error that describes what is wrong with the address.
 */
export async function prepare(address: string): Promise<void> {
  if (!address.startsWith("unix:")) {
    if (!/:\d+$/.test(address)) throw new Error("the address has no port");
    return;
  }
  const path = pathOf(address);
  if (Buffer.byteLength(path) > maxPathBytes) throw new Error(`the path is longer than ${maxPathBytes} bytes`);
  if ((await isRefused(path)) && (await lstat(path)).isSocket()) await unlink(path); // connecting to a regular file is refused as well
}

/** Restricts a Unix socket to its owner (mode 0600). Call it after binding, because Node cannot set the mode earlier. */
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
