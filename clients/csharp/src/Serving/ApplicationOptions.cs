using System.Text.Json;

namespace Genkit.Sidecar.Client;

/// <summary>Options of an application.</summary>
public sealed record ApplicationOptions
{
    /// <summary>Environments that the application is meant for. None given means <c>dev</c>.</summary>
    public IReadOnlyList<string> Environments { get; init; } = [];

    /// <summary>Returns the action for a key that is not listed, or null. May be called concurrently.</summary>
    public Func<string, ActionDefinition?>? Resolve { get; init; }

    /// <summary>Called with the sidecar's configuration after each connection of the sidecar and on each change.</summary>
    public Action<SidecarConfiguration>? OnConfigure { get; init; }

    /// <summary>
    /// Serializer options. The default uses camel case, writes enums as strings, and reads strictly: numbers in strings are refused, and so is null for non-nullable types.
    /// An application that is trimmed or compiled ahead of time sets the options of a source-generated context.
    /// </summary>
    public JsonSerializerOptions? JsonSerializerOptions { get; init; }
}
