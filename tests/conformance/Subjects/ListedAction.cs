namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>An action as it was listed. Null is a field that is unset.</summary>
internal sealed record ListedAction(string Key, string Name, string? Description, byte[]? InputSchema, byte[]? OutputSchema, byte[]? Metadata);
