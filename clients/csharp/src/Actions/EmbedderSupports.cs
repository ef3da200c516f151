namespace Genkit.Sidecar.Client;

/// <summary>What an embedder can. What is null is not said.</summary>
public record EmbedderSupports
{
    /// <summary>What it takes, such as <c>text</c> and <c>image</c>.</summary>
    public IReadOnlyList<string>? Input { get; init; }

    /// <summary>Whether it knows more than one language.</summary>
    public bool? Multilingual { get; init; }
}
