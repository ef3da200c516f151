// The server: runtime info, health, TLS, other services and shutdown.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { Client, credentials, Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { Application, define, type SidecarConfiguration, version } from "genkit-sidecar";
import { bind, Caller, calling, request } from "./caller.js";

const same = (bytes: Buffer) => bytes;
const service = Buffer.from("\n\x1fgenkit.sidecar.v1.ActionService");

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "genkit-sidecar-"));
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

async function check(client: Client, of: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest("/grpc.health.v1.Health/Check", same, same, of, (error, value) => (error ? reject(error) : resolve(value!))),
  );
}

test("actions come and go, and unlisted ones are resolved", async () => {
  const hidden = define("model", "acme/hidden", {}, () => "found");
  const application = new Application("", { resolve: (key) => (key === hidden.key ? hidden : undefined) });
  await calling(application, async (caller) => {
    assert.deepEqual(Object.keys(await caller.listed()), []);
    assert.equal((await caller.run("/model/acme/hidden")).value, "found");
    application.flow("a", {}, () => 1);
    assert.deepEqual(Object.keys(await caller.listed()), ["/flow/a"]);
    application.remove("/flow/a");
    assert.deepEqual(Object.keys(await caller.listed()), []);
    assert.equal((await caller.run("/flow/a")).error?.code, 5);
  });
});

test("runtime info, values and configuration", async () => {
  const told: SidecarConfiguration[] = [];
  const application = new Application("name", { environments: ["dev"], onConfigure: (configuration) => void told.push(configuration) });
  application.values["defaultModel"] = { defaultModel: { name: "echo" } };
  await calling(application, async (caller) => {
    const info = await caller.unary("getRuntimeInfo", {});
    assert.deepEqual(info, { name: "name", genkitVersion: `typescript/${version}`, environments: ["dev"], features: [] });
    assert.equal((await caller.unary("listValues", { type: "defaultModel" })).valuesJson.toString(), '{"defaultModel":{"name":"echo"}}');
    assert.equal((await caller.unary("listValues", { type: "toString" })).valuesJson.length, 0);
    const configuration = { otlpGrpcEndpoint: "http://127.0.0.1:4317", otlpHttpEndpoint: "", sidecarVersion: "1", maxMessageBytes: 2, features: ["a"] };
    await caller.unary("configure", configuration);
    assert.deepEqual(told, [configuration]);
  });
});

test("the version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.resolve("genkit-sidecar")), "utf8"));
  assert.equal(version, manifest.version);
});

test("health is served, and watched until shutdown", async (context) => {
  const server = await new Application().start("127.0.0.1:0");
  const client = new Client(server.address, credentials.createInsecure());
  context.after(() => client.close());
  for (const of of [Buffer.alloc(0), service]) assert.deepEqual([...(await check(client, of))], [8, 1]);
  await assert.rejects(check(client, Buffer.from("\n\x05other")), { code: 5 });
  const watch = client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", same, same, Buffer.alloc(0));
  assert.deepEqual([...(await once(watch, "data"))[0]], [8, 1]);
  const stopping = server.stop(60_000);
  assert.deepEqual([...(await once(watch, "data"))[0]], [8, 2]);
  await once(watch, "end");
  await stopping;
});

test("the service is added to a server with other services and interceptors", async (context) => {
  const intercepted: string[] = [];
  const interceptor: ServerInterceptor = (method, call) => {
    intercepted.push(method.path);
    return new ServerInterceptingCall(call);
  };
  const application = new Application();
  application.flow("a", {}, () => 1);
  const server = new Server({ interceptors: [interceptor] });
  const echo = { path: "/test.Echo/Echo", requestStream: false, responseStream: false };
  const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  server.addService({ echo: { ...echo, ...codec } }, { echo: (call: any, reply: any) => reply(null, call.request) });
  application.addTo(server);
  const caller = new Caller(await bind(server));
  context.after(() => (caller.client.close(), server.forceShutdown()));
  assert.equal((await caller.run("/flow/a")).value, 1);
  await new Promise<void>((resolve, reject) =>
    caller.client.makeUnaryRequest(echo.path, same, same, Buffer.from("x"), (error) => (error ? reject(error) : resolve())),
  );
  assert.deepEqual(intercepted, ["/genkit.sidecar.v1.ActionService/RunAction", "/test.Echo/Echo"]);
});

test("TLS and interceptors of the library's own server", async (context) => {
  const [key, certificate] = ["key.pem", "cert.pem"].map((name) => join(folder(context), name)) as [string, string];
  const arguments_ = `req -x509 -newkey rsa:2048 -nodes -keyout ${key} -out ${certificate} -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
  execFileSync("openssl", arguments_.split(" "), { stdio: "ignore" });
  const [private_key, cert_chain] = [readFileSync(key), readFileSync(certificate)];
  let intercepted = 0;
  const server = await new Application().start("localhost:0", {
    credentials: ServerCredentials.createSsl(null, [{ private_key, cert_chain }]),
    interceptors: [(_, call) => (intercepted++, new ServerInterceptingCall(call))],
  });
  const caller = new Caller(server.address, credentials.createSsl(cert_chain));
  assert.deepEqual(await caller.listed(), {});
  assert.equal(intercepted, 1);
  caller.client.close();
  await server.stop();
});

test("a Unix socket is accessible to its owner only", async (context) => {
  const path = `${folder(context)}/app.sock`;
  const server = await new Application().start(`unix:${path}`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const caller = new Caller(server.address);
  assert.deepEqual(await caller.listed(), {});
  caller.client.close();
  await server.stop();
});

test("the Unix socket of a killed server is replaced, and that of a running server is not", { timeout: 60_000 }, async (context) => {
  const address = `unix:${folder(context)}/app.sock`;
  const killed = spawn(process.execPath, ["--input-type=module", "--eval", program], { env: { ...process.env, ADDRESS: address }, stdio: ["ignore", "ignore", "pipe"] });
  await once(createInterface(killed.stderr), "line");
  await assert.rejects(new Application().start(address), /EADDRINUSE/);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const server = await new Application().start(address);
  const caller = new Caller(server.address);
  assert.deepEqual(await caller.listed(), {});
  caller.client.close();
  await server.stop();
});

test("a regular file at the path of the Unix socket is not removed", async (context) => {
  const path = `${folder(context)}/notes.txt`;
  writeFileSync(path, "kept");
  await assert.rejects(new Application().start(`unix:${path}`), /EADDRINUSE/);
  assert.equal(readFileSync(path, "utf8"), "kept");
});

test("an address that grpc-js would misinterpret is refused", async () => {
  for (const [address, reason] of [["127.0.0.1", "the address has no port"], [`unix:/run/${"a".repeat(120)}`, "the path is longer than 107 bytes"]] as const)
    await assert.rejects(new Application().start(address), { message: `cannot listen on ${address}: ${reason}. Set GENKIT_SIDECAR_LISTEN, or pass another address to serve` });
});

test("an address in use is named", async () => {
  const server = await new Application().start("127.0.0.1:0");
  await assert.rejects(new Application().start(server.address), new RegExp(`cannot listen on ${server.address}: .*GENKIT_SIDECAR_LISTEN`, "s"));
  await server.stop();
});

const program = `
import { setTimeout } from "node:timers/promises";
import { Application } from "genkit-sidecar";
const application = new Application("program");
application.flow("wait", {}, async (_, { sendChunk, abortSignal }) => {
  await sendChunk("waiting");
  try {
    return await setTimeout(Number(process.env.MILLISECONDS), "done", { signal: abortSignal });
  } finally {
    console.log("ended");
  }
});
await application.serve(process.env.ADDRESS || "127.0.0.1:0", { grace: Number(process.env.GRACE) });
`;

async function serving(context: TestContext, MILLISECONDS: number, GRACE: number) {
  const env = { ...process.env, MILLISECONDS: String(MILLISECONDS), GRACE: String(GRACE) };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { env, stdio: ["ignore", "pipe", "pipe"] });
  let written = "";
  child.stdout.on("data", (data) => (written += data));
  const [line] = (await once(createInterface(child.stderr), "line")) as [string];
  assert.match(line, /^program listens on 127\.0\.0\.1:\d+$/);
  const client = new Caller(line.split(" ").at(-1)!).client;
  context.after(() => (client.close(), child.kill("SIGKILL")));
  const call = client.runAction(request("/flow/wait")).on("error", () => {});
  await once(call, "data");
  return { child, client, call, ended: once(child, "close").then(([code]) => ({ code, written })) };
}

test("runs may end within the grace period", { timeout: 60_000 }, async (context) => {
  const { child, call, ended } = await serving(context, 500, 60_000);
  child.kill("SIGTERM");
  const [{ update }] = await once(call, "data");
  assert.equal(update.value.resultJson.toString(), '"done"');
  assert.deepEqual(await ended, { code: 0, written: "ended\n" });
});

test("a second signal cancels runs", { timeout: 60_000 }, async (context) => {
  const { child, client, ended } = await serving(context, 600_000, 600_000);
  const watch = client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", same, same, Buffer.alloc(0)).on("error", () => {});
  assert.deepEqual([...(await once(watch, "data"))[0]], [8, 1]);
  child.kill("SIGTERM");
  assert.deepEqual([...(await once(watch, "data"))[0]], [8, 2]); // the first signal has been handled
  child.kill("SIGINT");
  assert.deepEqual(await ended, { code: 0, written: "ended\n" });
});

test("runs are cancelled after the grace period", { timeout: 60_000 }, async (context) => {
  const { child, ended } = await serving(context, 600_000, 0);
  child.kill("SIGTERM");
  assert.deepEqual(await ended, { code: 0, written: "ended\n" });
});
