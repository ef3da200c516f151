// The least that a runtime can do: it cuts the request id and the input out of a frame where the manager of this benchmark puts them, and
// parses no payload. No runtime is faster behind this manager.

import WebSocket from 'ws';

const chunk = '{"text":"a chunk about as long as a few tokens of a model"}';
const trace = '0123456789abcdef0123456789abcdef';
const socket = new WebSocket(process.env.GENKIT_REFLECTION_V2_SERVER);

const inputMark = '"input":';
const endMark = ',"stream":';

socket.on('open', () => socket.send(JSON.stringify({
  jsonrpc: '2.0', id: '1', method: 'register', params: { id: `${process.pid}`, pid: process.pid, name: 'bare', genkitVersion: 'nodejs/0', reflectionApiSpecVersion: 1, envs: ['dev'] },
})));
socket.on('close', () => process.exit());
socket.on('message', (data) => {
  const frame = data.toString('latin1');
  const id = /"id":"(\d+)"\}$/.exec(frame.slice(-32))?.[1];
  if (!frame.includes('"method":"runAction"')) {
    if (id && frame.includes('"method":"listActions"')) socket.send(`{"jsonrpc":"2.0","result":{"actions":{}},"id":"${id}"}`);
    return;
  }

  const begin = frame.indexOf(inputMark) + inputMark.length;
  const end = frame.lastIndexOf(endMark);
  socket.send(`{"jsonrpc":"2.0","method":"runActionState","params":{"requestId":"${id}","state":{"traceId":"${trace}"}}}`);
  let result = frame.slice(begin, end);
  if (frame.includes('"/flow/stream"')) {
    for (let left = JSON.parse(result).chunks; left > 0; left--) {
      socket.send(`{"jsonrpc":"2.0","method":"streamChunk","params":{"requestId":"${id}","chunk":${chunk}}}`);
    }
    result = '"done"';
  } else if (frame.includes('"/flow/blob"')) {
    result = `"${'x'.repeat(JSON.parse(result).bytes)}"`;
  }
  socket.send(`{"jsonrpc":"2.0","result":{"result":${result},"telemetry":{"traceId":"${trace}"}},"id":"${id}"}`);
});
