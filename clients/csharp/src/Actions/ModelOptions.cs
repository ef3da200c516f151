namespace Genkit.Sidecar.Client;

/// <summary>Options of a model. The description defaults to the label.</summary>
public record ModelOptions : LabelledOptions
{
    /// <summary>Versions that a request may ask for.</summary>
    public IReadOnlyList<string>? Versions { get; init; }

    /// <summary>Capabilities of the model.</summary>
    public ModelSupports? Supports { get; init; }

    /// <summary>Release stage: <c>featured</c>, <c>stable</c>, <c>unstable</c>, <c>legacy</c> or <c>deprecated</c>.</summary>
    public string? Stage { get; init; }
}
