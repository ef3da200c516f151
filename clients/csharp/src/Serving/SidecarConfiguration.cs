namespace Genkit.Sidecar.Client;

/// <summary>What the sidecar says of itself.</summary>
/// <param name="OtlpGrpcEndpoint">Where it takes OpenTelemetry over gRPC; empty for nowhere.</param>
/// <param name="OtlpHttpEndpoint">Where it takes OpenTelemetry over HTTP; empty for nowhere.</param>
/// <param name="SidecarVersion">Its version.</param>
/// <param name="MaxMessageBytes">The largest message that it takes or sends, in bytes.</param>
/// <param name="Features">Abilities beyond the first version of the contract.</param>
public sealed record SidecarConfiguration(
    string OtlpGrpcEndpoint, string OtlpHttpEndpoint, string SidecarVersion, long MaxMessageBytes, IReadOnlyList<string> Features);
