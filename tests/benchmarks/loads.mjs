// What is asked of each arm. A load keeps `inFlight` runs of one flow in flight.

const text = (bytes) => JSON.stringify({ text: 'x'.repeat(bytes - '{"text":""}'.length) });

export const loads = {
  'echo-1': { title: '200 B echo, 1 in flight', key: '/flow/echo', input: text(200), inFlight: 1, resultBytes: 200 },
  'echo-32': { title: '200 B echo, 32 in flight', key: '/flow/echo', input: text(200), inFlight: 32, resultBytes: 200 },
  'stream-4': { title: 'streams of 1,000 chunks, 4 in flight', key: '/flow/stream', input: '{"chunks":1000}', inFlight: 4, chunks: 1000, resultBytes: 6 },
  'large-32': { title: '100 KB echo, 32 in flight', key: '/flow/echo', input: text(100_000), inFlight: 32, resultBytes: 100_000 },
  'first-chunk': { title: 'streams of 10 chunks, 1 in flight', key: '/flow/stream', input: '{"chunks":10}', inFlight: 1, chunks: 10, resultBytes: 6 },
};

/** One run with a large result, in a process that has done nothing else. Not a part of the rounds: `--blobs` says how often. */
export const blob = { title: 'one result of 64 MiB', key: '/flow/blob', input: `{"bytes":${64 * 1024 * 1024}}`, inFlight: 1, resultBytes: 64 * 1024 * 1024 + 2 };
