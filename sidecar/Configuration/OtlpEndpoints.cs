namespace Genkit.Sidecar.Configuration;

/// <summary>Base addresses of the OTLP listeners as the sender reaches them, such as <c>http://127.0.0.1:4318</c>; empty if there is none.</summary>
internal sealed record OtlpEndpoints(string Grpc, string Http)
{
    public static OtlpEndpoints None { get; } = new("", "");
}
