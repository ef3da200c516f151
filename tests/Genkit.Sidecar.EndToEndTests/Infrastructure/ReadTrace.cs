using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>A trace as the telemetry server returns it; empty if there is none.</summary>
internal sealed class ReadTrace
{
    private readonly Dictionary<string, ReadSpan> _byId;

    public ReadTrace(JsonElement trace) =>
        _byId = trace.ValueKind == JsonValueKind.Object && trace.TryGetProperty("spans", out var spans)
            ? spans.EnumerateObject().ToDictionary(span => span.Name, span => new ReadSpan(span.Value))
            : [];

    public ReadSpan Root => _byId.Values.Single(span => span.ParentId is null);

    /// <summary>Returns the only span of a name.</summary>
    public ReadSpan this[string name] => _byId.Values.Single(span => span.Name == name);

    /// <summary>Returns whether there are spans of these names and all of them have ended.</summary>
    public bool Has(params IEnumerable<string> names) =>
        !names.Except(_byId.Values.Select(span => span.Name)).Any() && _byId.Values.All(span => span.HasEnded);

    /// <summary>Returns the names from the root to a span, such as `journey/sail/weather`.</summary>
    public string Way(ReadSpan span) => span.ParentId is null
        ? span.Name
        : $"{(_byId.TryGetValue(span.ParentId, out var parent) ? Way(parent) : "?")}/{span.Name}";

    /// <summary>Returns the path of every span, in order.</summary>
    public IReadOnlyList<string> Ways() => [.. Spans().Select(Way)];

    /// <summary>Returns the spans, ordered by their paths.</summary>
    public IReadOnlyList<ReadSpan> Spans() => [.. _byId.Values.OrderBy(Way, StringComparer.Ordinal)];
}
