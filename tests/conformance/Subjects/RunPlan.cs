using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>A run as a case wants it started. What is null is left out of the request.</summary>
internal sealed record RunPlan
{
    public required string Key { get; init; }

    public byte[]? Input { get; init; }

    public byte[]? Init { get; init; }

    public byte[]? Context { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Whether chunks are wanted.</summary>
    public bool Stream { get; init; }

    /// <summary>Whether the input comes in chunks.</summary>
    public bool IsBidi { get; init; }

    /// <summary>Metadata of the call. Of the application alone: a manager sends none.</summary>
    public Metadata? Metadata { get; init; }

    /// <summary>How long the call may take. Of the application alone.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Whether the request has a field that this version of the contract does not know. Of the application alone.</summary>
    public bool HasUnknownField { get; init; }
}
