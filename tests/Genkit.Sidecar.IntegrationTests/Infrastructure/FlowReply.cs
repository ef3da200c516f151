using System.Text.Json;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>The response of a flow.</summary>
internal sealed record FlowReply(int Status, string Body, HttpResponseMessage Message)
{
    public string? ContentType => Message.Content.Headers.ContentType?.ToString();

    /// <summary>A header of the response or of its content; null if it is absent.</summary>
    public string? Header(string name) =>
        Message.Headers.TryGetValues(name, out var values) || Message.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : null;

    /// <summary>The member <c>status</c> of an error.</summary>
    public string? Code => JsonDocument.Parse(Body).RootElement.GetProperty("status").GetString();

    public string? ErrorMessage => JsonDocument.Parse(Body).RootElement.GetProperty("message").GetString();
}
