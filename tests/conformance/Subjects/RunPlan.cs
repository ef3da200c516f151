using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>Parameters of a run. Null members are left out of the request.</summary>
internal sealed record RunPlan
{
    public required string Key { get; init; }

    public byte[]? Input { get; init; }

    public byte[]? Init { get; init; }

    public byte[]? Context { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Whether to request chunks.</summary>
    public bool Stream { get; init; }

    /// <summary>Whether the input is streamed.</summary>
    public bool IsBidi { get; init; }

    /// <summary>Metadata of the call. Applications only, because a manager sends none.</summary>
    public Metadata? Metadata { get; init; }

    /// <summary>Deadline of the call. Applications only.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Whether the request has an unknown field. Applications only.</summary>
    public bool HasUnknownField { get; init; }
}
