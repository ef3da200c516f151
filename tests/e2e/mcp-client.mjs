// Calls tools of an MCP server over stdio, with the official SDK: node mcp-client.mjs COMMAND…
//
//   in   {"name": "run_flow", "arguments": {"flowName": "greet"}}, one a line
//   out  {"isError": false, "text": "…"} for each

import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'genkit-sidecar-e2e', version: '1.0.0' });
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }));
for await (const line of createInterface({ input: process.stdin })) {
  const { content, isError = false } = await client.callTool(JSON.parse(line), undefined, { timeout: 60_000 });
  console.log(JSON.stringify({ isError, text: content.map((part) => part.text).join('') }));
}
await client.close();
