namespace Genkit.Sidecar.Client;

/// <summary>What may be said of a model. Its label is its description where it has none.</summary>
public record ModelOptions : LabelledOptions
{
    /// <summary>Versions that a request may name.</summary>
    public IReadOnlyList<string>? Versions { get; init; }

    /// <summary>What the model can.</summary>
    public ModelSupports? Supports { get; init; }

    /// <summary><c>featured</c>, <c>stable</c>, <c>unstable</c>, <c>legacy</c> or <c>deprecated</c>.</summary>
    public string? Stage { get; init; }
}
