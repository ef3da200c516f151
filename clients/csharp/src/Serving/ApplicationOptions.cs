using System.Text.Json;

namespace Genkit.Sidecar.Client;

/// <summary>What may be said of an application beside its name.</summary>
public sealed record ApplicationOptions
{
    /// <summary>Environments that the application is meant for; none stand for <c>dev</c>.</summary>
    public IReadOnlyList<string> Environments { get; init; } = [];

    /// <summary>Finds an action by a key that is not listed, or returns null. Called by several threads.</summary>
    public Func<string, ActionDefinition?>? Resolve { get; init; }

    /// <summary>Told what the sidecar says of itself, after each of its connections.</summary>
    public Action<SidecarConfiguration>? OnConfigure { get; init; }

    /// <summary>
    /// How values are read and written. Without: members in camel case, enums as strings, and strictly: no number out of a string, no null where the type has none. An
    /// application that is trimmed or compiled ahead of time gives the options of a source-generated context.
    /// </summary>
    public JsonSerializerOptions? JsonSerializerOptions { get; init; }
}
