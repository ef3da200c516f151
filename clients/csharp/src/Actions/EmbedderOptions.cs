namespace Genkit.Sidecar.Client;

/// <summary>What may be said of an embedder.</summary>
public record EmbedderOptions : LabelledOptions
{
    /// <summary>How many numbers an embedding has.</summary>
    public int? Dimensions { get; init; }

    /// <summary>What the embedder can.</summary>
    public EmbedderSupports? Supports { get; init; }
}
