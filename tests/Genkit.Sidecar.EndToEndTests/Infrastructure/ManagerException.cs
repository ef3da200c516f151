using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The error that the manager's caller gets: its message, and the data that the CLI and the Dev UI show.</summary>
internal sealed class ManagerException(JsonElement error) : Exception(error.GetProperty("message").GetString())
{
    public JsonElement ErrorData { get; } = error.TryGetProperty("data", out var data) ? data : default;
}
