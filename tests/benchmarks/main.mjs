// Measures every arm in rounds, and writes what came of it. Started by `run`, which builds what is needed.

import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { armsOf, startApplication, startCaller } from './arms.mjs';
import { blob, loads } from './loads.mjs';
import { readOptions } from './options.mjs';
import { plot } from './plot.mjs';
import { cpuBetween, machineCpu } from './process.mjs';
import { quantile } from './statistics.mjs';
import { table } from './table.mjs';

let options;
try {
  options = readOptions(process.argv.slice(2), fileURLToPath(new URL('../../artifacts/', import.meta.url)));
  for (const [name, path] of Object.entries(options.sidecars)) {
    options.sidecars[name] = resolve(path);
    if (options.arms.includes('sidecar')) requireProgram(path);
  }
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(64);
}

/** How long anything may take that takes seconds. */
const deadlineSeconds = 60;

/** Of one core, what other processes may use before a measurement is repeated. */
const quietShare = 0.1;

/** This process, which generates the load of all arms but that without a manager. */
const self = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { threads: new Map([['all', (user + system) / 1000]]), ticks: 0 };
  },
};

const application = await startApplication();
const caller = startCaller(application);
const all = armsOf(options.sidecars, application, caller);
const arms = [...all].filter(([, arm]) => options.arms.includes(arm.kind)).map(([name, arm]) => ({ name, samples: {}, ...arm }));
try {
  await warmApplication();
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < arms.length; turn++) {
      await measureRound(arms[(round + turn) % arms.length], round);
    }
    say('\n');
  }
  for (let time = 0; time < options.blobs; time++) {
    await measureBlobs(time);
  }
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(1); // ends what was started
}
await caller.stop();
await application.stop();

const results = describe();
mkdirSync(options.out, { recursive: true });
writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
writeFileSync(join(options.out, 'results.md'), table(results));
writeFileSync(join(options.out, 'results.svg'), plot(results));
console.log(table(results));
console.log(`Written to ${options.out}: results.json, results.md, results.svg`);

function requireProgram(path) {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Error(`--sidecar: ${path} is no program. \`dotnet publish sidecar -c Release -o DIR\` makes DIR/genkit-sidecar`);
  }
}

function say(text) {
  process.stderr.write(text);
}

function sleep(seconds) {
  return new Promise((done) => setTimeout(done, seconds * 1000));
}

async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended within ${deadlineSeconds} s`)), deadlineSeconds * 1000);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
  return promise;
}

/** The application is compiled while it is called; it is not what is compared, so it has that behind it before the first round. */
async function warmApplication() {
  if (!arms.some((arm) => arm.usesApplication)) return;
  const session = await all.get('direct').start();
  for (const load of options.loads.map((name) => loads[name])) {
    await within(`the application's warm-up by ${load.title}`, session.measure(load, { warmUpSeconds: 0, seconds: options.warmUpSeconds }, () => {}, () => {}));
  }
}

async function measureRound(arm, round) {
  const set = (figure, value) => ((arm.samples[figure] ??= [])[round] = value);
  const session = await within(`${arm.title}: its start`, Promise.resolve(arm.start()));
  const { runtime } = session;
  set('register', session.registerMs);
  await sleep(options.idleSeconds);
  set('rss.idle', runtime?.rss());
  await within(`${arm.title}: listActions`, session.check());
  await within(`${arm.title}: its warm-up`, session.measure(loads['echo-32'], { warmUpSeconds: options.warmUpSeconds, seconds: 0 }, () => {}, () => {}));
  for (const name of options.loads) {
    await measureLoad(arm, session, name, set);
    if (name === 'echo-32') set('rss.echo-32', runtime?.rss());
  }
  set('rss.all', runtime?.rss());
  await session.stop();
  const told = options.loads.map((name) => {
    const [rate, others] = ['rate', 'share.others'].map((figure) => arm.samples[`${name}.${figure}`][round]);
    return `${name} ${Math.round(rate)}/s${others < quietShare ? '' : ` (others ${Math.round(others * 100)} % of a core)`}`;
  });
  say(`round ${round + 1}/${options.rounds} ${arm.title}: ${told.join(', ')}\n`);
}

/** Measures a load; again, if other processes of the machine were busy meanwhile. The quietest attempt counts. */
async function measureLoad(arm, session, name, set) {
  let quietest;
  for (let attempt = 0; attempt < options.attempts && !(quietest?.['share.others'] < quietShare); attempt++) {
    const figures = await within(`${arm.title}: ${loads[name].title}`, measureOnce(arm, session, name));
    if (!(quietest?.['share.others'] <= figures['share.others'])) quietest = figures;
  }
  for (const [figure, value] of Object.entries(quietest)) set(`${name}.${figure}`, value);
}

async function measureOnce(arm, session, name) {
  const load = loads[name];
  const generator = session.caller ?? self;
  const measured = { ...(session.runtime && { runtime: session.runtime }), ...(arm.usesApplication && { application }), generator };
  const before = {};
  const cpuMs = {};
  let machine;
  globalThis.gc?.();
  const { calls, chunks, seconds, latenciesMs, firstChunksMs } = await session.measure(
    load,
    { warmUpSeconds: options.loadWarmUpSeconds, seconds: options.seconds },
    () => {
      machine = machineCpu();
      for (const [role, process] of Object.entries(measured)) before[role] = process.cpu();
    },
    () => {
      for (const [role, process] of Object.entries(measured)) cpuMs[role] = cpuBetween(before[role], process.cpu());
      const { used, stolen } = machineCpu();
      machine = { used: used - machine.used, stolen: stolen - machine.stolen };
    },
  );
  if (calls === 0) throw new Error(`no run ended within ${seconds} s`);
  const items = name === 'stream-4' ? chunks : calls;
  const own = Object.values(cpuMs).reduce((sum, ms) => sum + ms);
  const figures = {
    rate: items / seconds,
    p50: quantile(latenciesMs, 0.5) * 1000,
    p99: quantile(latenciesMs, 0.99) * 1000,
    ...(load.chunks && { first: quantile(firstChunksMs, 0.5) * 1000 }),
    'share.others': Math.max(0, machine.used + machine.stolen - own) / 1000 / seconds,
  };
  for (const [role, ms] of Object.entries(cpuMs)) {
    figures[`cpu.${role}`] = (ms * 1000) / items;
    figures[`share.${role}`] = ms / 1000 / seconds;
  }
  return figures;
}

/** Each arm's own process makes one large result; what is left of it is read later, of all of them at a time. */
async function measureBlobs(time) {
  const later = [];
  for (const arm of arms) {
    const set = (figure, value) => ((arm.samples[figure] ??= [])[time] = value);
    const session = await within(`${arm.title}: its start`, Promise.resolve(arm.start()));
    const { runtime } = session;
    await within(`${arm.title}: listActions`, session.check());
    await sleep(options.idleSeconds);
    const idle = runtime?.rss();
    runtime?.forgetPeak();
    set('blob.ms', await within(`${arm.title}: ${blob.title}`, session.run(blob)));
    const until = performance.now() + options.laterSeconds * 1000;
    later.push(async () => {
      await sleep(Math.max(0, runtime ? until - performance.now() : 0) / 1000);
      set('blob.peak', runtime && runtime.peakRss() - idle);
      set('blob.later', runtime && runtime.rss() - idle);
      await session.stop();
    });
  }
  for (const readAndStop of later) await readAndStop();
  say(`large results, ${time + 1}/${options.blobs}\n`);
}

function describe() {
  const { rounds, blobs, quick, seconds, warmUpSeconds, loadWarmUpSeconds, laterSeconds, attempts } = options;
  const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
  return {
    machine: { cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30) },
    versions: {
      node: process.version.slice(1),
      dotnet: execFileSync('dotnet', ['--list-runtimes'], { encoding: 'utf8' }).match(/Microsoft\.NETCore\.App (10\.\S+)/g)?.at(-1).split(' ')[1],
      genkit: version('genkit'),
      ws: version('ws'),
      grpcJs: version('@grpc/grpc-js'),
    },
    settings: { rounds, blobs, quick, seconds, warmUpSeconds, loadWarmUpSeconds, laterSeconds, attempts },
    loads: Object.fromEntries((rounds > 0 ? options.loads : []).map((name) => [name, loads[name].title])),
    arms: Object.fromEntries(arms.map(({ name, title, kind, file, samples }) => [name, {
      title,
      kind,
      ...(file && { fileBytes: statSync(file).size }),
      samples: Object.fromEntries(Object.entries(samples).filter(([, values]) => values.some((value) => value !== undefined)).map(
        ([figure, values]) => [figure, values.map((value) => Number(value.toPrecision(5)))])),
    }])),
  };
}
