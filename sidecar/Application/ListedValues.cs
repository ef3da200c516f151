namespace Genkit.Sidecar.Application;

/// <summary>Values of one type by name.</summary>
/// <param name="Json">One JSON object.</param>
internal sealed record ListedValues(ReadOnlyMemory<byte> Json);
