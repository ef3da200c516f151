"""Exports nothing over grpcio to where OpenTelemetry's variables say, compressed and not, and says how each call ended."""

import os
from urllib.parse import unquote, urlsplit

import grpc

EXPORT = "/opentelemetry.proto.collector.{}/Export"

assert os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc"
name, _, value = os.environ["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
address = urlsplit(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]).netloc


def call(method, metadata, compression):
    with grpc.insecure_channel(address, compression=compression) as channel:
        export = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
        try:
            return f"OK {len(export(b'', metadata=metadata, timeout=30))}"
        except grpc.RpcError as error:
            return error.code().name


token = [(name, unquote(value))]
for service in ("trace.v1.TraceService", "metrics.v1.MetricsService", "logs.v1.LogsService"):
    print(call(EXPORT.format(service), token, grpc.Compression.NoCompression))
print(call(EXPORT.format("trace.v1.TraceService"), token, grpc.Compression.Gzip))
print(call(EXPORT.format("trace.v1.TraceService"), [], grpc.Compression.NoCompression))
print(call(EXPORT.format("profiles.v1.ProfilesService"), token, grpc.Compression.NoCompression))
