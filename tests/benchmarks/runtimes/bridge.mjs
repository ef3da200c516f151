// Flows in Genkit's own runtime for JavaScript that call the application by grpc-js: what one would write without a sidecar.

import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { genkit } from 'genkit';
import { fileURLToPath } from 'node:url';

const proto = fileURLToPath(new URL('../../../proto/genkit/sidecar/v1/action_service.proto', import.meta.url));
const { ActionService } = loadPackageDefinition(loadSync(proto, { keepCase: true, oneofs: true })).genkit.sidecar.v1;
const client = new ActionService(process.env.BENCHMARK_APPLICATION, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });

const ai = genkit({ name: 'bridge' });
for (const name of ['echo', 'stream', 'blob']) {
  ai.defineFlow(name, (input, { sendChunk }) => new Promise((resolve, reject) => {
    const call = client.RunAction({ key: `/flow/${name}`, input_json: Buffer.from(JSON.stringify(input)), stream: true });
    call.on('data', ({ update, chunk_json, result }) => {
      if (update === 'chunk_json') {
        sendChunk(JSON.parse(chunk_json.toString()));
      } else if (update === 'result') {
        resolve(JSON.parse(result.result_json.toString()));
      }
    });
    call.on('error', reject);
  }));
}
