namespace Genkit.Sidecar.Client;

/// <summary>Capabilities of an embedder. Members that are null are not listed.</summary>
public record EmbedderSupports
{
    /// <summary>Kinds of input that it accepts, such as <c>text</c> and <c>image</c>.</summary>
    public IReadOnlyList<string>? Input { get; init; }

    /// <summary>Whether it supports several languages.</summary>
    public bool? Multilingual { get; init; }
}
