using Genkit.Sidecar.Conformance.Steps;

namespace Genkit.Sidecar.Conformance.Suites;

/// <summary>One case.</summary>
internal sealed record Case
{
    /// <summary><c>suite/name</c>, of lower-case words with hyphens.</summary>
    public required string Id { get; init; }

    public string Suite => Id[..Id.IndexOf('/', StringComparison.Ordinal)];

    /// <summary>The clause of the contract: an element of action_service.proto, or a heading of proto/README.md.</summary>
    public required string Clause { get; init; }

    /// <summary>The consequence for users if the case fails.</summary>
    public required string Why { get; init; }

    /// <summary>Features that the case requires.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>Features that must be absent.</summary>
    public IReadOnlyList<string> Unless { get; init; } = [];

    /// <summary>The modes in which the case does not apply, with the reason.</summary>
    public IReadOnlyDictionary<Way, string> NotIn { get; init; } = new Dictionary<Way, string>();

    /// <summary>Timeout of the case, far above its usual duration.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>The steps, each with its text in the file.</summary>
    public required IReadOnlyList<(string Text, IStep Step)> Steps { get; init; }
}
