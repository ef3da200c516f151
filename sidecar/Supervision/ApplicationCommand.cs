using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Supervision;

/// <summary>What <c>run -- command</c> starts.</summary>
/// <param name="Words">Name and arguments, as typed.</param>
/// <param name="ListenAddress">Address on which the command should serve gRPC.</param>
/// <param name="Sidecar">Starts the command for us, where that takes more than .NET offers.</param>
internal sealed record ApplicationCommand(IReadOnlyList<string> Words, string ListenAddress, SidecarExecutable Sidecar)
{
    /// <summary>Addresses for the command's OpenTelemetry SDK.</summary>
    public OtlpEndpoints Otlp { get; init; } = OtlpEndpoints.None;

    /// <summary>Whether the command's lines get a prefix where it writes to our terminal.</summary>
    public bool HasPrefix { get; init; }

    /// <summary>What it has to show there; null for nothing.</summary>
    public BearerToken? OtlpToken { get; init; }
}
