namespace Genkit.Sidecar.Otlp;

internal enum OtlpSignal
{
    Traces,
    Metrics,
    Logs,
}
