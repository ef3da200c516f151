import { ActionError, Application, StatusCode } from "genkit-sidecar";
import { z } from "zod";

const application = new Application("hello");

application.flow(
  "greet",
  { description: "Greets by name.", inputSchema: z.object({ name: z.string() }) },
  ({ name }) => {
    if (!name) throw new ActionError(StatusCode.FAILED_PRECONDITION, "the name is empty");
    return { greeting: `Hello, ${name}!` };
  },
);

application.flow(
  "countdown",
  { description: "Counts down, chunk by chunk.", inputSchema: z.object({ from: z.int().default(3) }) },
  async (input, context) => {
    for (let count = input.from; count > 0; count--) await context.sendChunk({ count });
    return "Liftoff!";
  },
);

application.flow(
  "chat",
  { description: "Answers each message as it arrives.", inputSchema: z.string(), bidi: true },
  async function* (messages) {
    for await (const message of messages) yield { echo: message };
  },
);

await application.serve();
