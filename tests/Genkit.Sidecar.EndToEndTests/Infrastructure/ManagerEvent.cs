using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>One line that the manager's host wrote.</summary>
internal sealed record ManagerEvent(string Name, int? Id, JsonElement Value)
{
    public bool IsAnswer => Name is "result" or "error";

    public static ManagerEvent Parse(string line)
    {
        var members = JsonElement.Parse(line);
        return new ManagerEvent(
            members.GetProperty("event").GetString()!,
            members.TryGetProperty("id", out var id) ? id.GetInt32() : null,
            members.TryGetProperty("value", out var value) ? value : default);
    }
}
