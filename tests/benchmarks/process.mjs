// A process that is measured: how it is started and stopped, and what /proc says of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const tickMs = 10; // USER_HZ is 100 on every Linux that Node runs on
const outputBytes = 8192;
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

export class MeasuredProcess {
  #child;
  #output = '';
  #exited;

  /** What the process prints, line by line; only of one that was started with `lines`. */
  lines;

  /** When it was started, as performance.now() tells it. */
  startedAt = performance.now();

  constructor(command, args, { cwd, env = {}, lines = false } = {}) {
    const { PATH, HOME, DOTNET_ROOT } = process.env;
    this.#child = spawn(command, args, { cwd, env: { PATH, HOME, ...(DOTNET_ROOT && { DOTNET_ROOT }), ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(this.#child);
    this.#exited = once(this.#child, 'exit').finally(() => running.delete(this.#child));
    this.#exited.catch(() => {}); // is told to those who wait
    this.#child.stdin.on('error', () => {}); // the exit says it
    const keep = (data) => (this.#output = (this.#output + data).slice(-outputBytes));
    this.#child.stderr.on('data', keep);
    if (lines) {
      this.lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    } else {
      this.#child.stdout.on('data', keep);
    }
  }

  get pid() {
    return this.#child.pid;
  }

  async line() {
    const { value, done } = await this.lines.next();
    if (done) throw await this.ended();
    return value;
  }

  writeLine(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  /** An error that says that the process has ended, once it has. */
  async ended() {
    const [code, signal] = await this.#exited;
    return new Error(`${this.#child.spawnfile} ended with ${signal ?? code}:\n${this.#output}`);
  }

  /** CPU time since its start, for `cpuBetween`. */
  cpu() {
    const threads = new Map();
    for (const thread of readdirSync(`/proc/${this.pid}/task`)) {
      try {
        threads.set(thread, Number(readFileSync(`/proc/${this.pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6);
      } catch {
        // has just ended
      }
    }
    const [utime, stime] = readFileSync(`/proc/${this.pid}/stat`, 'latin1').split(') ')[1].split(' ').slice(11, 13);
    return { threads, ticks: Number(utime) + Number(stime) };
  }

  /** Resident memory, in MiB. */
  rss() {
    return this.#status('VmRSS');
  }

  /** The most that it has been since `forgetPeak`, in MiB. */
  peakRss() {
    return this.#status('VmHWM');
  }

  forgetPeak() {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await this.#exited;
    }
  }

  #status(name) {
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))[1]) / 1024;
  }
}

/** CPU time of the whole machine, in ms: what its processes used, and what its host took away from it. */
export function machineCpu() {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0].trim().split(/\s+/).slice(1).map(Number);
  return { used: (user + nice + system + irq + softirq) * tickMs, stolen: steal * tickMs };
}

/** CPU time in ms from one `cpu()` to the next. The scheduler's count is exact but loses threads that end, which the count of ticks has. */
export function cpuBetween(before, after) {
  let exact = 0;
  for (const [thread, ms] of after.threads) exact += ms - (before.threads.get(thread) ?? 0);
  return Math.max(exact, (after.ticks - before.ticks - 2) * tickMs);
}
