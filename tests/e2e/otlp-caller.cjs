// Does what otlp-caller.py does, with grpc-js. Takes the folder where grpc-js is installed.
const grpc = require(require.resolve('@grpc/grpc-js', { paths: [process.argv[2]] }));

const exportOf = (service) => `/opentelemetry.proto.collector.${service}/Export`;
const [name, value] = process.env.OTEL_EXPORTER_OTLP_HEADERS.split('=');
const address = new URL(process.env.OTEL_EXPORTER_OTLP_ENDPOINT).host;
const bytes = (message) => message;

function call(method, token, compression) {
  const metadata = new grpc.Metadata();
  if (token) {
    metadata.set(name, decodeURIComponent(value));
  }

  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.default_compression_algorithm': compression });
  return new Promise((resolve) => {
    client.makeUnaryRequest(method, bytes, bytes, Buffer.alloc(0), metadata, (error, answer) => {
      client.close();
      resolve(error ? grpc.status[error.code] : `OK ${answer.length}`);
    });
  });
}

(async () => {
  const { identity, gzip } = grpc.compressionAlgorithms;
  for (const service of ['trace.v1.TraceService', 'metrics.v1.MetricsService', 'logs.v1.LogsService']) {
    console.log(await call(exportOf(service), true, identity));
  }

  console.log(await call(exportOf('trace.v1.TraceService'), true, gzip));
  console.log(await call(exportOf('trace.v1.TraceService'), false, identity));
  console.log(await call(exportOf('profiles.v1.ProfilesService'), true, identity));
})();
