import { parseArgs } from 'node:util';
import { loads } from './loads.mjs';

export const kinds = ['sidecar', 'native', 'bridge', 'bare', 'direct'];

const normal = { rounds: 5, blobs: 2, idleSeconds: 1, warmUpSeconds: 2, loadWarmUpSeconds: 1, seconds: 1.5, laterSeconds: 30, attempts: 4 };
const quick = { ...normal, rounds: 2, blobs: 1, idleSeconds: 0.5, warmUpSeconds: 1, loadWarmUpSeconds: 0.2, seconds: 0.6, attempts: 2 };

/** Reads the command line. An error's message says what is wrong with it. `artifacts` is the folder of what is built, with a slash at its end. */
export function readOptions(args, artifacts) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      blobs: { type: 'string' },
      arms: { type: 'string' },
      loads: { type: 'string' },
      sidecar: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      out: { type: 'string', default: `${artifacts}benchmarks` },
    },
  });
  const times = { ...(values.quick ? quick : normal) };
  times.rounds = count('rounds', values.rounds, times.rounds, 0);
  times.blobs = count('blobs', values.blobs, times.blobs, 0);
  return {
    ...times,
    quick: values.quick,
    out: values.out,
    arms: chosen('arms', values.arms, kinds),
    loads: chosen('loads', values.loads, Object.keys(loads)),
    sidecars: sidecars(values.sidecar ?? [`${artifacts}genkit-sidecar/genkit-sidecar`]),
  };
}

function count(name, text, byDefault, least) {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} takes a whole number from ${least}, not "${text}"`);
  return value;
}

function chosen(name, text, known) {
  if (text === undefined) return known;
  const names = text.split(',');
  const unknown = names.find((item) => !known.includes(item));
  if (unknown !== undefined) throw new Error(`--${name} does not know "${unknown}"; there are ${known.join(', ')}`);
  return names;
}

function sidecars(values) {
  const byName = {};
  for (const value of values) {
    const [, name, path] = /^(?:([a-z0-9.-]+)=)?(.+)$/s.exec(value) ?? [];
    if (!path) throw new Error(`--sidecar takes PATH or NAME=PATH, not "${value}"`);
    const key = name ?? 'sidecar';
    if (key in byName || kinds.slice(1).includes(key)) throw new Error(`--sidecar needs a name of its own for ${path}, as NAME=PATH: "${key}" is taken`);
    byName[key] = path;
  }
  return byName;
}
