namespace Genkit.Sidecar.Client;

/// <summary>Options of an embedder.</summary>
public record EmbedderOptions : LabelledOptions
{
    /// <summary>Number of elements of an embedding.</summary>
    public int? Dimensions { get; init; }

    /// <summary>Capabilities of the embedder.</summary>
    public EmbedderSupports? Supports { get; init; }
}
