// The flows of the application, in Genkit's own runtime for JavaScript.

import { genkit } from 'genkit';

const ai = genkit({ name: 'native' });
const chunk = { text: 'a chunk about as long as a few tokens of a model' };

ai.defineFlow('echo', async (input) => input);
ai.defineFlow('stream', async ({ chunks }, { sendChunk }) => {
  for (let sent = 0; sent < chunks; sent++) sendChunk(chunk);
  return 'done';
});
ai.defineFlow('blob', async ({ bytes }) => 'x'.repeat(bytes));
