namespace Genkit.Sidecar.Otlp;

internal enum OtlpEncoding
{
    Protobuf,
    Json,
}
