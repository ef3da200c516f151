// The load generator: the manager's side of Genkit's Reflection API v2, which asks for what it measures. Requests have the members of the
// real manager's, in its order. Every frame is counted; those up to 4 KiB are parsed as JSON, of larger ones only the id is read, so that the
// generator costs little of the machine that it shares with what it measures.

import { once } from 'node:events';
import { WebSocketServer } from 'ws';

const parsedBytes = 4096;
const edgeBytes = 128;

export class Manager {
  #server;
  #socket;
  #nextId = 0;
  #runs = new Map();
  #registered;
  #lost;

  /** Address that a runtime finds in GENKIT_REFLECTION_V2_SERVER. */
  get address() {
    return `ws://127.0.0.1:${this.#server.address().port}`;
  }

  async listen() {
    this.#server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    this.#registered = new Promise((resolve) => this.#server.once('connection', (socket) => this.#accept(socket, resolve)));
    await once(this.#server, 'listening');
  }

  /** Waits for the runtime. Returns when it registered, as performance.now() tells it. */
  async registered() {
    return this.#registered;
  }

  async listActions() {
    return new Promise((resolve, reject) => {
      const id = `${++this.#nextId}`;
      this.#runs.set(id, { ended: resolve, failed: reject });
      this.#socket.send(`{"jsonrpc":"2.0","method":"listActions","id":"${id}"}`);
    });
  }

  /**
   * Makes one run and checks what comes back.
   * @returns {Promise<number>} How long it took, in ms.
   */
  async run(load) {
    const started = performance.now();
    let chunks = 0;
    const length = await new Promise((resolve, reject) => this.#send(load, this.#payload(load), {
      chunk: () => chunks++,
      ended: resolve,
      failed: reject,
    }));
    if (chunks !== (load.chunks ?? 0) || length < load.resultBytes) {
      throw new Error(`${load.title}: ${chunks} chunks and ${length} B came, instead of ${load.chunks ?? 0} and ${load.resultBytes} B`);
    }

    return performance.now() - started;
  }

  /**
   * Keeps runs in flight for a time, after a warm-up.
   * @param begin Called when the time that is measured begins.
   * @param end Called when it ends.
   */
  async measure(load, { warmUpSeconds, seconds }, begin, end) {
    const measured = { calls: 0, chunks: 0, seconds: 0, latenciesMs: [], firstChunksMs: [] };
    let isMeasuring = false;
    let isOver = false;
    const payload = this.#payload(load);
    const failed = { reject: undefined };
    const failure = new Promise((_, reject) => (failed.reject = reject));

    const next = (ended) => {
      const started = performance.now();
      let firstChunkMs;
      let chunks = 0;
      this.#send(load, payload, {
        chunk: () => {
          firstChunkMs ??= performance.now() - started;
          chunks++;
          if (isMeasuring) measured.chunks++;
        },
        ended: (length) => {
          if (chunks !== (load.chunks ?? 0) || length < load.resultBytes) {
            failed.reject(new Error(`${load.title}: a run ended with ${chunks} chunks and ${length} B`));
          }
          if (isMeasuring) {
            measured.calls++;
            measured.latenciesMs.push(performance.now() - started);
            if (firstChunkMs !== undefined) measured.firstChunksMs.push(firstChunkMs);
          }
          if (isOver) {
            ended();
          } else {
            next(ended);
          }
        },
        failed: failed.reject,
      });
    };

    const drained = Promise.all(Array.from({ length: load.inFlight }, () => new Promise(next)));
    await Promise.race([after(warmUpSeconds), failure]);
    begin();
    isMeasuring = true;
    const started = performance.now();
    await Promise.race([after(seconds), failure]);
    isMeasuring = false;
    measured.seconds = (performance.now() - started) / 1000;
    end();
    isOver = true;
    await Promise.race([drained, failure]);
    return measured;
  }

  async close() {
    this.#socket?.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket, registered) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(data, registered));
    socket.on('close', () => {
      this.#lost = new Error('The runtime closed its connection');
      for (const run of this.#runs.values()) run.failed(this.#lost);
    });
  }

  #receive(data, registered) {
    if (data.length > parsedBytes) {
      // Runtimes put the id of an answer behind its result; the manager's specification says nothing of an order.
      const edges = data.latin1Slice(0, edgeBytes) + data.latin1Slice(data.length - edgeBytes);
      const id = /"id":"(\d+)"/.exec(edges)?.[1] ?? JSON.parse(data.toString()).id;
      this.#take(id).ended(data.length);
      return;
    }

    const frame = JSON.parse(data.toString());
    if (frame.method === 'streamChunk') {
      this.#runs.get(frame.params.requestId).chunk();
    } else if (frame.method === 'register') {
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', result: {}, id: frame.id }));
      registered(performance.now());
    } else if (frame.method === undefined) {
      const run = this.#take(frame.id);
      if (frame.error) {
        run.failed(new Error(`A run failed: ${frame.error.message}`));
      } else {
        run.ended(data.length);
      }
    }
  }

  #take(id) {
    const run = this.#runs.get(id);
    if (!run) throw new Error(`An answer has the unknown id ${id}`);
    this.#runs.delete(id);
    return run;
  }

  #payload({ key, input, chunks }) {
    return Buffer.from(`{"jsonrpc":"2.0","method":"runAction","params":{"key":"${key}","input":${input},"stream":${Boolean(chunks)},"streamInput":false},"id":"`);
  }

  #send(load, payload, run) {
    if (this.#lost) {
      run.failed(this.#lost);
      return;
    }
    const id = `${++this.#nextId}`;
    this.#runs.set(id, run);
    this.#socket.send(Buffer.concat([payload, Buffer.from(`${id}"}`)]), { binary: false });
  }
}

const after = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
