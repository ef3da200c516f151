// An application whose spans and logs OpenTelemetry's SDK exports as configured by its environment.
//
//   /flow/journey, /flow/wreck  the flows of native.mjs, in spans with Genkit's own attributes
//   /flow/voyage                what any instrumentation may send: attributes of every kind, an event, a link, a log record, an
//                               exception, and a model with a tool by the conventions for generative AI; with {"flush": true} it sees
//                               them exported before it ends
//   /flow/drift                 spans in another trace, whose id is sent to the sidecar in ActionState
//
// Usage: node traced.mjs [configured]
// With `configured` it exports to the address in Configure instead of the one in the environment.

import path from 'node:path';
import { Server, ServerCredentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, context, createContextKey, propagation, trace } from '@opentelemetry/api';
import { SeverityNumber, logs } from '@opentelemetry/api-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';

const protos = path.join(import.meta.dirname, '../../proto');
const stubs = loadPackageDefinition(loadSync('genkit/sidecar/v1/action_service.proto', { includeDirs: [protos] })).genkit.sidecar.v1;
const json = (value) => Buffer.from(JSON.stringify(value));
const isConfigured = process.argv[2] === 'configured';

let sdk;
function startSdk() {
  sdk = new NodeSDK({ serviceName: 'traced', instrumentations: [] });
  sdk.start();
}
if (!isConfigured) startSdk();

const tracer = () => trace.getTracer('traced-tracer', '1.2.3');

const parentPath = createContextKey('path of the span around');

/** Runs `body` in a span with the attributes that Genkit's own runtime writes. */
function step(name, kind, input, body) {
  const around = `${context.active().getValue(parentPath)}`;
  const ownPath = `${around}/{${name},${kind.path ?? `t:${kind.attributes['genkit:type']}`}}`;
  return tracer().startActiveSpan(name, { attributes: kind.attributes }, async (span) => {
    span.setAttributes({ 'genkit:name': name, 'genkit:path': ownPath });
    if (input !== undefined) span.setAttribute('genkit:input', JSON.stringify(input));
    try {
      const output = await context.with(context.active().setValue(parentPath, ownPath), () => body(input));
      span.setAttributes({ 'genkit:output': JSON.stringify(output), 'genkit:state': 'success' });
      return output;
    } catch (error) {
      span.setAttribute('genkit:state', 'error');
      if (!error.traced) span.setAttribute('genkit:isFailureSource', true);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      span.recordException(error);
      throw Object.assign(error, { traced: true });
    } finally {
      span.end();
    }
  });
}

const flowStep = { attributes: { 'genkit:type': 'flowStep' } };

function action(type, name, input, body) {
  const attributes = { 'genkit:type': 'action', 'genkit:metadata:subtype': type, 'genkit:key': `/${type}/${name}` };
  return step(name, { attributes, path: `t:${type === 'flow' ? 'flow' : 'action'},s:${type}` }, input, body);
}

async function journey({ to }) {
  await step('pack', flowStep, undefined, () => ['rope', 'bread']);
  return step('sail', flowStep, to, async () => {
    const wind = await action('tool', 'weather', { at: to }, ({ at }) => `wind over ${at}`);
    await action('flow', 'rest', { nights: 2 }, ({ nights }) => `rested ${nights} nights`);
    const { message } = await action('model', 'fake/echo', { messages: [{ role: 'user', content: [{ text: wind }] }] }, () => ({
      message: { role: 'model', content: [{ text: `echo: ${wind}` }] },
      finishReason: 'stop',
      usage: { inputTokens: 2, outputTokens: 3 },
    }));
    return message.content[0].text;
  });
}

async function wreck() {
  await step('hope', flowStep, undefined, () => 'calm');
  await step('storm', flowStep, undefined, () => step('mast', flowStep, undefined, () => {
    throw Object.assign(new Error('it broke'), { code: status.INTERNAL });
  }));
}

function inSpan(name, options, body) {
  return tracer().startActiveSpan(name, options, (span) => {
    try {
      return body(span);
    } finally {
      span.end();
    }
  });
}

async function voyage(input) {
  const attributes = { text: 'ö "quoted"', count: 9007199254740991, ratio: 0.5, open: true, ports: ['Troy', 'Ithaca'] };
  const earlier = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED };
  inSpan('prepare', { attributes }, () => {
    inSpan('chart', { kind: SpanKind.CLIENT, links: [{ context: earlier, attributes: { reason: 'earlier' } }] }, (span) => {
      span.addEvent('sighted', { what: 'land', miles: 3 });
      logs.getLogger('captain').emit({ severityNumber: SeverityNumber.WARN, severityText: 'WARN', body: 'wind rises', attributes: { knots: 30 } });
    });
  });
  inSpan('founder', {}, (span) => {
    span.recordException(new TypeError('no such reef'));
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'no such reef' });
  });
  const chat = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'example',
    'gen_ai.request.model': 'oracle-1',
    'gen_ai.request.temperature': 0.5,
    'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: [{ type: 'text', content: 'Whither?' }] }]),
    'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [{ type: 'text', content: 'Home.' }], finish_reason: 'stop' }]),
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 4,
    'gen_ai.usage.output_tokens': 2,
  };
  inSpan('chat oracle-1', { kind: SpanKind.CLIENT, attributes: chat }, () => {});
  const tool = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'sextant',
    'gen_ai.tool.call.id': 'call-1',
    'gen_ai.tool.call.arguments': JSON.stringify({ star: 'Vega' }),
    'gen_ai.tool.call.result': JSON.stringify({ degrees: 38 }),
  };
  inSpan('execute_tool sextant', { attributes: tool }, () => {});
  if (input?.flush) await trace.getTracerProvider().getDelegate().forceFlush();
  return 'home';
}

const drift = () => context.with(trace.deleteSpan(context.active()), () => inSpan('adrift', {}, (span) => {
  inSpan('sleep', {}, () => {});
  return span.spanContext().traceId;
}));

const flows = { journey, wreck, voyage, drift };

async function run(call) {
  const { key, inputJson } = call.request;
  const name = key.replace('/flow/', '');
  const caller = propagation.extract(ROOT_CONTEXT, call.metadata.getMap()).setValue(parentPath, `/{${name},t:flow}`);
  try {
    const result = await context.with(caller, () => flows[name](JSON.parse(inputJson?.toString() ?? 'null')));
    if (name === 'drift') call.write({ state: { traceId: result } });
    call.write({ result: { resultJson: json(result) } });
  } catch ({ code = status.UNKNOWN, message, stack }) {
    call.write({ error: { code, message, stack } });
  }
  call.end();
}

const server = new Server();
server.addService(stubs.ActionService.service, {
  ListActions: (_, reply) => reply(null, { actions: Object.keys(flows).map((name) => ({ key: `/flow/${name}`, name })) }),
  RunAction: (call) => void run(call),
  Configure({ request }, reply) {
    reply(null, {});
    if (!isConfigured || sdk || !request.otlpHttpEndpoint) return;
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = request.otlpHttpEndpoint;
    startSdk();
    console.log('configured');
  },
});
server.bindAsync(process.env.GENKIT_SIDECAR_LISTEN ?? '127.0.0.1:50051', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`traced listens on ${port}`);
});
process.once('SIGTERM', async () => {
  server.forceShutdown();
  await sdk?.shutdown();
  process.exit();
});
