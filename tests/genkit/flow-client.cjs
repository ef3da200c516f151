// Calls a flow with Genkit's own client and prints what comes back, one JSON document a line:
// {"chunk": …}, {"output": …} or {"error": "…"}.
//
// Usage: flow-client.cjs run|stream URL [INPUT] [HEADERS] [CHUNKS]
//   CHUNKS   after how many chunks the call is aborted
const { runFlow, streamFlow } = require("genkit/beta/client");

const [operation, url, input = "null", headers = "{}", chunks] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));
const abort = new AbortController();
const call = { url, input: JSON.parse(input), headers: JSON.parse(headers), abortSignal: abort.signal };

async function run() {
  if (operation === "run") {
    return runFlow(call);
  }

  const { stream, output } = streamFlow(call);
  output.catch(() => {}); // the stream fails with the same error
  let seen = 0;
  for await (const chunk of stream) {
    say({ chunk });
    if (++seen === Number(chunks)) {
      abort.abort();
    }
  }

  return output;
}

run().then((output) => say({ output }), (error) => say({ error: error.message }));
