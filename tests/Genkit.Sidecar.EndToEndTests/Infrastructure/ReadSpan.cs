using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>A span as the telemetry server returns it.</summary>
internal sealed class ReadSpan(JsonElement span)
{
    public string Name => span.GetProperty("displayName").GetString()!;

    public string Id => span.GetProperty("spanId").GetString()!;

    public string? ParentId => span.TryGetProperty("parentSpanId", out var parent) ? parent.GetString() : null;

    public string Kind => span.GetProperty("spanKind").GetString()!;

    public bool HasEnded => span.GetProperty("endTime").GetDouble() > 0;

    public JsonElement Attributes => span.GetProperty("attributes");

    /// <summary>The code of its status: 0 unset, 1 ok, 2 error.</summary>
    public int StatusCode => span.TryGetProperty("status", out var status) ? status.GetProperty("code").GetInt32() : 0;

    public string? StatusMessage =>
        span.TryGetProperty("status", out var status) && status.TryGetProperty("message", out var message) ? message.GetString() : null;

    public JsonElement InstrumentationLibrary => span.GetProperty("instrumentationLibrary");

    public IReadOnlyList<JsonElement> Links =>
        span.TryGetProperty("links", out var links) ? [.. links.EnumerateArray()] : [];

    /// <summary>Its events, each with `description` and `attributes`.</summary>
    public IReadOnlyList<JsonElement> Events => span.TryGetProperty("timeEvents", out var events)
        ? [.. events.GetProperty("timeEvent").EnumerateArray().Select(e => e.GetProperty("annotation"))]
        : [];

    public string? Text(string attribute) => Attributes.TryGetProperty(attribute, out var value) ? value.GetString() : null;

    /// <summary>Returns an attribute that holds JSON as text, as Genkit's inputs and outputs do.</summary>
    public JsonElement Json(string attribute) => JsonElement.Parse(Attributes.GetProperty(attribute).GetString()!);
}
