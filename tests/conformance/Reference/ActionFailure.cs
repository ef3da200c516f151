namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>Fails a run of the reference application.</summary>
internal sealed class ActionFailure(int code, string message) : Exception(message)
{
    public int Code { get; } = code;

    public byte[]? Details { get; init; }

    /// <summary>The stack that the caller is told, empty for none.</summary>
    public string Stack { get; init; } = "";

    /// <summary>Whether the run fails with a gRPC status; otherwise with an ActionError.</summary>
    public bool IsStatus { get; init; }
}
