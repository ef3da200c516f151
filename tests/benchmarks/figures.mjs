// What is reported, in the order of the table. `better` tells which way a ratio is good; a difference
// that may be near 0 has none.

import { blob, loads } from './loads.mjs';

const less = 'less';
const more = 'more';

export const figures = {
  'echo-1.p50': { title: `${loads['echo-1'].title}: p50`, unit: 'µs', better: less },
  'echo-1.p99': { title: `${loads['echo-1'].title}: p99`, unit: 'µs', better: less },
  'echo-1.cpu.runtime': { title: `${loads['echo-1'].title}: CPU a call`, unit: 'µs', better: less },
  'echo-32.rate': { title: `${loads['echo-32'].title}: rate`, unit: 'calls/s', better: more },
  'echo-32.p50': { title: `${loads['echo-32'].title}: p50`, unit: 'µs', better: less },
  'echo-32.p99': { title: `${loads['echo-32'].title}: p99`, unit: 'µs', better: less },
  'echo-32.cpu.runtime': { title: `${loads['echo-32'].title}: CPU a call`, unit: 'µs', better: less },
  'stream-4.rate': { title: `${loads['stream-4'].title}: rate`, unit: 'chunks/s', better: more },
  'stream-4.cpu.runtime': { title: `${loads['stream-4'].title}: CPU a chunk`, unit: 'µs', better: less },
  'large-32.rate': { title: `${loads['large-32'].title}: rate`, unit: 'calls/s', better: more },
  'large-32.cpu.runtime': { title: `${loads['large-32'].title}: CPU a call`, unit: 'µs', better: less },
  'first-chunk.first': { title: `${loads['first-chunk'].title}: first chunk, p50`, unit: 'µs', better: less },
  'blob.ms': { title: `${blob.title}: time`, unit: 'ms', better: less },
  'blob.peak': { title: `${blob.title}: peak RSS over idle`, unit: 'MiB', better: less },
  'blob.later': { title: `${blob.title}: RSS 30 s later over idle`, unit: 'MiB', better: less, isDifference: true },
  'rss.idle': { title: 'RSS, registered and idle', unit: 'MiB', better: less },
  'rss.echo-32': { title: 'RSS after the 32-in-flight load', unit: 'MiB', better: less },
  'rss.all': { title: 'RSS after all loads of a round', unit: 'MiB', better: less },
  register: { title: 'Spawn to registered', unit: 'ms', better: less },
};

/** Per-process figures of a load, for the table of where the time goes. */
export const processes = { runtime: 'runtime', application: 'application', generator: 'load generator' };
