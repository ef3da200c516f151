namespace Genkit.Sidecar.Client;

/// <summary>Configuration that the sidecar sends to the application (<c>ConfigureRequest</c>).</summary>
/// <param name="OtlpGrpcEndpoint">Address of the sidecar's OTLP receiver over gRPC, such as <c>http://127.0.0.1:4317</c>. Empty if it has none.</param>
/// <param name="OtlpHttpEndpoint">Address of the sidecar's OTLP receiver over HTTP, such as <c>http://127.0.0.1:4318</c>. Empty if it has none.</param>
/// <param name="SidecarVersion">Version of the sidecar, such as <c>0.1.0</c>.</param>
/// <param name="MaxMessageBytes">Largest gRPC message that the sidecar accepts or sends, in bytes.</param>
/// <param name="Features">Features beyond version 1 of the contract that the sidecar supports.</param>
public sealed record SidecarConfiguration(
    string OtlpGrpcEndpoint, string OtlpHttpEndpoint, string SidecarVersion, long MaxMessageBytes, IReadOnlyList<string> Features);
