// Two flows on Genkit's own runtime for JavaScript. `traced.mjs` does the same with OpenTelemetry, so that tests can compare the spans.

import { genkit, z } from 'genkit';

const ai = genkit({ name: 'native' });

const echo = ai.defineModel({ name: 'fake/echo' }, async ({ messages }) => ({
  message: { role: 'model', content: [{ text: `echo: ${messages.at(-1).content[0].text}` }] },
  finishReason: 'stop',
  usage: { inputTokens: 2, outputTokens: 3 },
}));

const weather = ai.defineTool(
  { name: 'weather', description: 'Tells the weather', inputSchema: z.object({ at: z.string() }), outputSchema: z.string() },
  async ({ at }) => `wind over ${at}`
);

const rest = ai.defineFlow('rest', async (input) => `rested ${input.nights} nights`);

ai.defineFlow('journey', async ({ to }) => {
  await ai.run('pack', async () => ['rope', 'bread']);
  return ai.run('sail', to, async (to) => {
    const wind = await weather({ at: to });
    await rest({ nights: 2 });
    const { message } = await echo({ messages: [{ role: 'user', content: [{ text: wind }] }] });
    return message.content[0].text;
  });
});

ai.defineFlow('wreck', async () => {
  await ai.run('hope', async () => 'calm');
  await ai.run('storm', async () => ai.run('mast', async () => {
    throw new Error('it broke');
  }));
});
