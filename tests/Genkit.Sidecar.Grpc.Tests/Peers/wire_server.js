'use strict';
// The Node peer: serves wire.proto on TCP, a Unix socket and TLS, and prints the addresses as one line of JSON. (Its library reads compressed messages and sends none.)
const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [proto, socketPath, certPath, keyPath] = process.argv.slice(2);
const { wire } = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true, longs: Number, defaults: true }));

const signals = new Map();
function signal(key) {
  if (!signals.has(key)) {
    let fire;
    const promise = new Promise((resolve) => (fire = resolve));
    signals.set(key, { promise, fire });
  }
  return signals.get(key);
}

function reflected(metadata, prefix) {
  const back = new grpc.Metadata();
  for (const name of Object.keys(metadata.getMap())) {
    if (name.startsWith('x-')) for (const value of metadata.get(name)) back.add(prefix + name, value);
  }
  return back;
}

const filled = (size, number) => {
  const body = Buffer.alloc(size, 0x61);
  if (size > 0) body[0] = number % 256;
  return { body };
};

const handlers = {
  Echo(call, callback) {
    call.sendMetadata(reflected(call.metadata, ''));
    callback(null, call.request, reflected(call.metadata, 'trailer-'));
  },
  async Download(call) {
    for (let i = 0; i < call.request.count; i++) {
      if (!call.write(filled(call.request.size, i))) await new Promise((resolve) => call.once('drain', resolve));
    }
    call.end();
  },
  Chat(call) {
    call.on('data', (message) => {
      if (!call.write(message)) {
        call.pause();
        call.once('drain', () => call.resume());
      }
    });
    call.on('end', () => call.end());
  },
  async Stall(call, callback) {
    const key = call.metadata.get('x-key')[0];
    await signal(`release ${key}`).promise;
    let count = 0;
    let size = 0;
    call.on('data', (message) => {
      count++;
      size += message.body.length;
    });
    call.on('end', () => callback(null, { count, size }));
  },
  Release(call, callback) {
    signal(`release ${call.request.key}`).fire();
    callback(null, {});
  },
  Wait(call) {
    call.on('cancelled', () => signal(`gone ${call.request.key}`).fire());
    call.write({ body: Buffer.from('waiting') });
  },
  async Observe(call, callback) {
    await signal(`gone ${call.request.key}`).promise;
    callback(null, { body: Buffer.from('cancelled') });
  },
  Fail(call) {
    const { count, code, text, details } = call.request;
    for (let i = 0; i < count; i++) call.write(filled(1, i));
    const metadata = new grpc.Metadata();
    if (details.length > 0) metadata.set('grpc-status-details-bin', details);
    metadata.set('x-cause', 'planned');
    call.emit('error', { code, details: text.repeat(call.request.size || 1), metadata });
  },
  Die() {
    process.exit(0);
  },
};

function bind(address, credentials) {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  server.addService(wire.Wire.service, handlers);
  return new Promise((resolve, reject) =>
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port))));
}

(async () => {
  const plain = grpc.ServerCredentials.createInsecure();
  const tls = grpc.ServerCredentials.createSsl(null, [
    { cert_chain: fs.readFileSync(certPath), private_key: fs.readFileSync(keyPath) },
  ]);
  const tcp = await bind('127.0.0.1:0', plain);
  await bind(`unix:${socketPath}`, plain);
  const secure = await bind('127.0.0.1:0', tls);
  console.log(JSON.stringify({
    tcp: `http://127.0.0.1:${tcp}`,
    unix: `unix:${socketPath}`,
    tls: `https://localhost:${secure}`,
  }));
})();

// The test process holds the other end, so this process exits with it.
process.stdin.on('end', () => process.exit(0)).resume();
