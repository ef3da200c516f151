// The Node caller: makes the calls that its standard input asks for, one command of JSON a line, and tells what comes back the same way.
'use strict';

const crypto = require('node:crypto');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');

const clients = new Map();
const calls = new Map();
const limits = {'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1};
const same = (bytes) => bytes;

function say(id, event, more) {
  process.stdout.write(JSON.stringify({id, event, ...more}) + '\n');
}

function clientFor(target, gzip) {
  const key = target + gzip;
  if (!clients.has(key)) {
    const options = gzip ? {...limits, 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip} : limits;
    clients.set(key, new grpc.Client(target, grpc.credentials.createInsecure(), options));
  }
  return clients.get(key);
}

function pattern(size) {
  const block = Buffer.from(Array.from({length: 251}, (_, i) => i));
  return Buffer.alloc(size, block);
}

function metadataFrom(entries) {
  const metadata = new grpc.Metadata();
  for (const [name, value] of entries) {
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  }
  return metadata;
}

function entriesOf(metadata) {
  const entries = [];
  for (const name of Object.keys(metadata ? metadata.getMap() : {})) {
    for (const value of metadata.get(name)) {
      entries.push([name, Buffer.isBuffer(value) ? value.toString('base64') : value]);
    }
  }
  return entries;
}

function message(id, bytes) {
  say(id, 'message', {
    size: bytes.length,
    hash: crypto.createHash('sha256').update(bytes).digest('hex'),
    text: bytes.length <= 100 ? bytes.toString('utf8') : null,
  });
}

function begin(command, request) {
  const {id, target, method, kind} = command;
  const client = clientFor(target, command.gzip);
  const metadata = metadataFrom(command.metadata);
  const options = command.deadline === null ? {} : {deadline: Date.now() + command.deadline};
  const answer = (error, value) => {
    if (!error) {
      message(id, value);
    }
  };
  let call;
  switch (kind) {
    case 'unary':
      call = client.makeUnaryRequest(method, same, same, request, metadata, options, answer);
      break;
    case 'server':
      call = client.makeServerStreamRequest(method, same, same, request, metadata, options);
      break;
    case 'client':
      call = client.makeClientStreamRequest(method, same, same, metadata, options, answer);
      break;
    default:
      call = client.makeBidiStreamRequest(method, same, same, metadata, options);
  }
  call.on('metadata', (headers) => say(id, 'headers', {metadata: entriesOf(headers)}));
  const isStream = kind === 'server' || kind === 'bidi';
  let status = null;
  let open = isStream ? 2 : 1;
  const ended = () => {
    if (--open === 0) {
      say(id, 'end', {code: status.code, message: status.details, metadata: entriesOf(status.metadata)});
    }
  };
  call.on('status', (value) => {
    status = value;
    ended();
  });
  call.on('error', () => {});
  if (isStream) {
    call.on('data', (bytes) => message(id, bytes));
    call.on('end', ended);
    if (command.paused) {
      call.pause();
    }
  }
  return call;
}

const commands = {
  start(command) {
    const needsRequest = command.kind === 'unary' || command.kind === 'server';
    calls.set(command.id, {command, call: needsRequest ? null : begin(command)});
  },
  send({id, size}) {
    const entry = calls.get(id);
    if (entry.call === null) {
      entry.call = begin(entry.command, pattern(size));
    } else {
      entry.call.write(pattern(size));
    }
  },
  end({id}) {
    calls.get(id).call.end?.();
  },
  cancel({id}) {
    calls.get(id).call.cancel();
  },
  resume({id}) {
    calls.get(id).call.resume();
  },
  burst({id, target, method, count}) {
    let open = count;
    let failed = 0;
    for (let i = 0; i < count; i++) {
      clientFor(target, false).makeUnaryRequest(method, same, same, pattern(i), new grpc.Metadata(), {}, (error, value) => {
        failed += error || !value.equals(pattern(i)) ? 1 : 0;
        if (--open === 0) {
          say(id, 'end', {code: failed === 0 ? 0 : 2, message: `${failed} failed`, metadata: []});
        }
      });
    }
  },
};

readline
  .createInterface({input: process.stdin})
  .on('line', (line) => {
    const command = JSON.parse(line);
    commands[command.op](command);
  })
  // The tests' process holds the other end: when it is gone, so is this one.
  .on('close', () => process.exit(0));
