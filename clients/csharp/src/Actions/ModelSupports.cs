namespace Genkit.Sidecar.Client;

/// <summary>Capabilities of a model. Members that are null are not listed.</summary>
public record ModelSupports
{
    /// <summary>Whether it accepts more than one message.</summary>
    public bool? Multiturn { get; init; }

    /// <summary>Whether it accepts images and other media.</summary>
    public bool? Media { get; init; }

    /// <summary>Whether it calls tools.</summary>
    public bool? Tools { get; init; }

    /// <summary>Whether it accepts messages of the role <c>system</c>.</summary>
    public bool? SystemRole { get; init; }

    /// <summary>Formats of its output, such as <c>text</c> and <c>json</c>.</summary>
    public IReadOnlyList<string>? Output { get; init; }

    /// <summary>Media types that it accepts or returns.</summary>
    public IReadOnlyList<string>? ContentType { get; init; }

    /// <summary>Whether it accepts documents as context.</summary>
    public bool? Context { get; init; }

    /// <summary>Whether its output follows a schema: <c>none</c>, <c>all</c> or <c>no-tools</c>.</summary>
    public string? Constrained { get; init; }

    /// <summary>Whether a request may control how tools are chosen.</summary>
    public bool? ToolChoice { get; init; }
}
