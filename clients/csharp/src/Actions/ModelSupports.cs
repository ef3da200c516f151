namespace Genkit.Sidecar.Client;

/// <summary>What a model can. What is null is not said.</summary>
public record ModelSupports
{
    /// <summary>Whether it takes more than one message.</summary>
    public bool? Multiturn { get; init; }

    /// <summary>Whether it takes pictures and other media.</summary>
    public bool? Media { get; init; }

    /// <summary>Whether it calls tools.</summary>
    public bool? Tools { get; init; }

    /// <summary>Whether it takes messages of the role <c>system</c>.</summary>
    public bool? SystemRole { get; init; }

    /// <summary>Formats of its output, such as <c>text</c> and <c>json</c>.</summary>
    public IReadOnlyList<string>? Output { get; init; }

    /// <summary>Media types that it takes or returns.</summary>
    public IReadOnlyList<string>? ContentType { get; init; }

    /// <summary>Whether it takes documents as context.</summary>
    public bool? Context { get; init; }

    /// <summary>Whether its output keeps to a schema: <c>none</c>, <c>all</c> or <c>no-tools</c>.</summary>
    public string? Constrained { get; init; }

    /// <summary>Whether a request may say how tools are chosen.</summary>
    public bool? ToolChoice { get; init; }
}
