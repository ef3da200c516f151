using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Tests.Infrastructure;

/// <param name="Scenario">The name of the recorded scenario, followed by "(start)" for the post of the span's start.</param>
/// <param name="Body">The body that Genkit's JavaScript runtime posted.</param>
internal sealed record GoldenTrace(string Scenario, JsonObject Body)
{
    public JsonObject Span => Body["spans"]!.AsObject().Single().Value!.AsObject();

    public JsonObject Attributes => Span["attributes"]!.AsObject();

    public override string ToString() => Scenario;
}
