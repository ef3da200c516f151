// Hosts the RuntimeManagerV2 that Genkit's CLI and Dev UI use, driven over stdin and stdout: one JSON object a line.
//
//   in   {"id": 1, "do": "runAction", "input": {"key": "/flow/greet", "input": {}}, "stream": true, "streamInput": true}
//   out  {"event": "result", "id": 1, "value": {}} or {"event": "error", "id": 1, "value": {"message": "", "data": {}}}
//
// Events that answer no command: listening, runtime-added, runtime-removed, frame (each that a runtime sends), trace, chunk and spans.
// Usage: node manager-host.cjs PORT PROJECT_ROOT [TELEMETRY_PORT]
// With TELEMETRY_PORT the telemetry server of Genkit's CLI listens there, and the manager names it to runtimes.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');

// The manager logs to stdout, which this host uses for its protocol.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
const emit = (event, members) => write(JSON.stringify({ event, ...members }) + '\n');

// Not exported by the package, but in a file beside an exported one.
const exported = require.resolve('@genkit-ai/tools-common/manager');
const { RuntimeManagerV2 } = require(path.join(path.dirname(exported), 'manager-v2.js'));

/** The streamed input of one run: an async iterable that commands push to. */
class Input {
  #values = [];
  #wake = () => {};
  #ended = false;

  push(value) {
    this.#values.push(value);
    this.#wake();
  }

  end() {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    while (true) {
      while (this.#values.length > 0) yield this.#values.shift();
      if (this.#ended) return;
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }
}

async function startTelemetry(port, projectRoot) {
  const { LocalFileLogStore, LocalFileTraceStore, startTelemetryServer } = require('@genkit-ai/telemetry-server');
  const roots = { storeRoot: projectRoot, indexRoot: projectRoot };
  await startTelemetryServer({ port, traceStore: new LocalFileTraceStore(roots), logStore: new LocalFileLogStore(roots) });
  // The server reports its start before it listens, and does not report when it does.
  while (!(await connects(port))) await sleep(10);
  return `http://localhost:${port}`;
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(() => resolve(true))).on('error', () => resolve(false));
  });
}

async function main([port, projectRoot, telemetryPort]) {
  const telemetryServerUrl = telemetryPort && (await startTelemetry(Number(telemetryPort), projectRoot));
  const manager = await RuntimeManagerV2.create({ projectRoot, reflectionV2Port: Number(port), telemetryServerUrl });
  const inputs = new Map();
  const commands = {
    runtimes: () => manager.listRuntimes(),
    listActions: ({ input }) => manager.listActions(input),
    listValues: ({ input }) => manager.listValues(input),
    cancelAction: ({ input }) => manager.cancelAction(input),
    getTrace: ({ input }) => manager.getTrace(input),
    listTraces: ({ input }) => manager.listTraces(input),
    /** Runs an action so many times, and gives the runs whose trace was not there, whole, straight after the answer. */
    async runTraced({ input, times }) {
      const missing = [];
      for (let i = 0; i < times; i++) {
        const { traceId } = (await manager.runAction(input)).telemetry;
        const root = Object.values((await manager.getTrace({ traceId }))?.spans ?? {}).find((span) => !span.parentSpanId);
        if (!(root?.endTime > 0) || !root.attributes['genkit:output']) missing.push({ i, traceId, root });
      }
      return missing;
    },
    /** Gives a trace once these spans are in it and all have ended; says by name which are there so far. */
    async traceWith({ id, traceId, spans }) {
      for (let known = ''; ; await sleep(100)) {
        const trace = await manager.getTrace({ traceId });
        const found = Object.values(trace?.spans ?? {});
        const names = found.map((span) => span.displayName);
        if (spans.every((name) => names.includes(name)) && found.every((span) => span.endTime > 0)) return trace;
        if (known !== `${names}`) emit('spans', { id, value: names });
        known = `${names}`;
      }
    },
    /** Gives the log records of a trace once there are any. */
    async logsOf({ traceId }) {
      for (;; await sleep(100)) {
        const { logs } = await manager.listLogs({ filter: { traceId } });
        if (logs.length > 0) return logs;
      }
    },
    sendInput: ({ run, chunk }) => void inputs.get(run).push(chunk),
    endInput: ({ run }) => void inputs.get(run).end(),
    runAction({ id, input, stream, streamInput }) {
      if (streamInput) inputs.set(id, new Input());
      return manager.runAction(
        input,
        stream ? (chunk) => emit('chunk', { id, value: chunk }) : undefined,
        (traceId) => emit('trace', { id, value: traceId }),
        inputs.get(id)
      );
    },
  };

  if (!manager.wss.address()) await once(manager.wss, 'listening');
  emit('listening', { value: manager.port });
  manager.wss.on('connection', (socket) => socket.on('message', (data) => emit('frame', { value: JSON.parse(data) })));
  for (const runtime of manager.listRuntimes()) emit('runtime-added', { value: runtime }); // registered before this listener was added
  manager.onRuntimeEvent((event, runtime) => emit(event === 'add' ? 'runtime-added' : 'runtime-removed', { value: runtime }));

  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    const { id } = command;
    (async () => commands[command.do](command))().then(
      (value) => emit('result', { id, value }),
      (error) => emit('error', { id, value: { message: error.message, data: error.data } })
    );
  }
  process.exit(0); // the parent process has exited
}

main(process.argv.slice(2));
