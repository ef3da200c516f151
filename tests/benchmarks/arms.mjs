// The arms: what answers the load, and how it is started. Each has a runtime that is started anew for every round. The application, and
// the caller of the arm that calls it directly, are started once: neither is what is compared.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Manager } from './manager.mjs';
import { MeasuredProcess } from './process.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const built = (project, assembly) => file(`../../artifacts/bin/${project}/release/${assembly}.dll`);

export async function startApplication() {
  const application = new MeasuredProcess('dotnet', [built('Genkit.Sidecar.Benchmarks.Application', 'benchmark-application')], { lines: true });
  application.address = await application.line();
  return application;
}

/** The arms by name; `sidecars` are paths by name, `caller` is what `startCaller` returned. */
export function armsOf(sidecars, application, caller) {
  const arms = new Map();
  for (const [name, path] of Object.entries(sidecars)) {
    arms.set(name, {
      title: name,
      kind: 'sidecar',
      usesApplication: true,
      file: path,
      start: () => startRuntime(path, ['run', '--app', application.address, ...freePorts]),
    });
  }
  arms.set('native', { title: 'native JS', kind: 'native', start: () => startRuntime(process.execPath, [file('runtimes/native.mjs')]) });
  arms.set('bridge', {
    title: 'JS bridge',
    kind: 'bridge',
    usesApplication: true,
    start: () => startRuntime(process.execPath, [file('runtimes/bridge.mjs')], { BENCHMARK_APPLICATION: new URL(application.address).host }),
  });
  arms.set('bare', { title: 'bare WebSocket', kind: 'bare', start: () => startRuntime(process.execPath, [file('runtimes/bare.mjs')]) });
  arms.set('direct', { title: 'direct gRPC', kind: 'direct', usesApplication: true, start: () => directSession(caller) });
  return arms;
}

/** The defaults are ports for the whole machine, and several sidecars are measured. */
const freePorts = ['--health', '127.0.0.1:0', '--otlp-grpc', '127.0.0.1:0', '--otlp-http', '127.0.0.1:0'];

/** A runtime behind a manager, as the Genkit CLI would start it without a telemetry server. */
async function startRuntime(command, args, env = {}) {
  const manager = new Manager();
  await manager.listen();
  const folder = mkdtempSync(join(tmpdir(), 'genkit-sidecar-benchmark-'));
  const runtime = new MeasuredProcess(command, args, { cwd: folder, env: { GENKIT_ENV: 'dev', GENKIT_REFLECTION_V2_SERVER: manager.address, ...env } });
  const orEnded = (promise) => Promise.race([promise, runtime.ended().then((error) => Promise.reject(error))]);
  const registeredAt = await orEnded(manager.registered());
  return {
    runtime,
    registerMs: registeredAt - runtime.startedAt,
    check: () => orEnded(manager.listActions()),
    run: (load) => orEnded(manager.run(load)),
    measure: (load, times, begin, end) => orEnded(manager.measure(load, times, begin, end)),
    stop: async () => {
      await manager.close();
      await runtime.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A caller of the application, in place of manager and runtime: grpc-dotnet's, since grpc-js would be the bottleneck. */
export function startCaller(application) {
  return new MeasuredProcess('dotnet', [built('Genkit.Sidecar.Benchmarks.Direct', 'benchmark-direct'), application.address], { lines: true });
}

function directSession(caller) {
  const measure = async ({ key, input, inFlight }, { warmUpSeconds, seconds }, begin, end) => {
    caller.writeLine(JSON.stringify({ key, input, inFlight, warmUpSeconds, seconds }));
    await caller.line();
    begin();
    await caller.line();
    end();
    return JSON.parse(await caller.line());
  };
  return {
    caller,
    check: async () => {},
    run: async (load) => (await measure(load, { warmUpSeconds: 0, seconds: 0 }, () => {}, () => {})).latenciesMs[0],
    measure,
    stop: async () => {},
  };
}
