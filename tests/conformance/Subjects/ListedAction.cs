namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>A listed action. Null stands for an unset field.</summary>
internal sealed record ListedAction(string Key, string Name, string? Description, byte[]? InputSchema, byte[]? OutputSchema, byte[]? Metadata);
