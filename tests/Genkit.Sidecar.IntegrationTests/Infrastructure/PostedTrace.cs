using System.Text.Json;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>One post of a trace.</summary>
internal sealed record PostedTrace(JsonElement Body)
{
    public string TraceId => Body.Text("traceId");

    public JsonElement Span => Assert.Single(Body.At("spans").EnumerateObject()).Value;

    public bool HasEnded => Span.At("endTime").GetDouble() > 0;

    public string SpanId => Span.Text("spanId");

    /// <summary>A text attribute; null if there is none.</summary>
    public string? this[string attribute] => Span.At("attributes").TryGetProperty(attribute, out var value) ? value.GetString() : null;

    /// <summary>The attributes of the span's only exception.</summary>
    public JsonElement Exception => Assert.Single(Span.At("timeEvents", "timeEvent").EnumerateArray()).At("annotation", "attributes");
}
