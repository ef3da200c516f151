using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>An event that the sidecar logged with <c>--log-format json</c>.</summary>
/// <param name="Name">Its name; null for an event of a library that gives none.</param>
/// <param name="Level">Its level, such as <c>Warning</c>.</param>
/// <param name="State">The values of the message's placeholders, by name.</param>
internal sealed record SidecarEvent(string? Name, string Level, JsonElement State)
{
    public bool IsError => Level is "Error" or "Critical";

    /// <summary>Returns null for a line that is not the sidecar's: its command writes to the same stderr.</summary>
    public static SidecarEvent? Parse(string line)
    {
        if (!line.StartsWith("{\"Timestamp\":", StringComparison.Ordinal))
        {
            return null;
        }

        using var document = JsonDocument.Parse(line);
        var root = document.RootElement.Clone();
        var state = root.GetProperty(nameof(State));
        return new SidecarEvent(state.GetProperty("EventName").GetString(), root.GetProperty("LogLevel").GetString()!, state);
    }
}
