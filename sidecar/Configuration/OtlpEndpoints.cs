namespace Genkit.Sidecar.Configuration;

/// <summary>Where somebody may send OTLP, as he can reach it: base addresses such as <c>http://127.0.0.1:4318</c>; empty for nowhere.</summary>
internal sealed record OtlpEndpoints(string Grpc, string Http)
{
    public static OtlpEndpoints None { get; } = new("", "");
}
