namespace Genkit.Sidecar.Otlp;

/// <summary>OTLP's numbers, which are Genkit's too.</summary>
internal static class SpanStatusCode
{
    public const int Unset = 0;
    public const int Ok = 1;
    public const int Error = 2;
}
