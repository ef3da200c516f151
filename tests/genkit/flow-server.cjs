// The flows of the hello examples on Genkit's own flow server, for comparison. Its startFlowServer does not accept port 0, so this file does the same:
// a JSON body parser, CORS for every origin, and a handler at the name of each flow. Prints the address.
const cors = require("cors");
const express = require("express");
const { expressHandler } = require("@genkit-ai/express");
const { GenkitError, genkit } = require("genkit/beta");

const ai = genkit({});
const statusNames = { 3: "INVALID_ARGUMENT", 5: "NOT_FOUND", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 14: "UNAVAILABLE", 16: "UNAUTHENTICATED" };

function member(value, name, type, byDefault) {
  const found = value?.[name] ?? byDefault;
  if (typeof found !== type) {
    throw new GenkitError({ status: "INVALID_ARGUMENT", message: `"${name}" must be ${type === "string" ? "a string" : "an integer"}` });
  }

  return found;
}

const flows = {
  greet: async (input) => ({ greeting: `Hello, ${member(input, "name", "string")}!` }),
  countdown: async (input, { sendChunk }) => {
    for (let count = member(input, "from", "number", 3); count > 0; count--) {
      sendChunk({ count });
    }

    return "Liftoff!";
  },
  fail: async (input) => {
    const code = member(input, "code", "number", 5);
    if (!statusNames[code]) {
      throw new Error("not for strangers");
    }

    throw new GenkitError({ status: statusNames[code], message: member(input, "message", "string", "failed as asked"), detail: { reason: "requested" } });
  },
};

const app = express();
app.use(express.json());
app.use(cors());
for (const [name, flow] of Object.entries(flows)) {
  app.post(`/${name}`, expressHandler(ai.defineFlow(name, flow)));
}

const server = app.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
