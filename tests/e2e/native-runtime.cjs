// The hello flows in a native JS runtime, for comparison with the sidecar. Prints the address of its Reflection API v1 and the runtime's id.

const { readdirSync, readFileSync } = require('node:fs');
const { genkit } = require('genkit');

const ai = genkit({ name: 'native' });
ai.defineFlow('greet', async ({ name }) => ({ greeting: `Hello, ${name}!` }));
ai.defineFlow('countdown', async (input, { sendChunk }) => {
  for (let count = input?.from ?? 3; count > 0; count--) sendChunk({ count });
  return 'Liftoff!';
});
ai.defineFlow('fail', async () => {
  throw Object.assign(new Error('failed as asked'), { status: 'NOT_FOUND' });
});
ai.defineFlow('slow', (input, { sendChunk, abortSignal }) => {
  sendChunk('started');
  return new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(abortSignal.reason)));
});

const waiting = setInterval(() => {
  let files;
  try {
    files = readdirSync('.genkit/runtimes').filter((file) => file.startsWith(`${process.pid}-`));
  } catch {
    return;
  }
  if (files.length > 0) {
    clearInterval(waiting);
    const { id, reflectionServerUrl } = JSON.parse(readFileSync(`.genkit/runtimes/${files[0]}`, 'utf8'));
    console.log(`serves ${reflectionServerUrl} ${id}`);
  }
}, 100);
