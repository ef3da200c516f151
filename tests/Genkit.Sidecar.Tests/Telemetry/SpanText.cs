using System.Text;
using System.Text.Json.Nodes;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Tests.Telemetry;

/// <summary>Reads the body of a post.</summary>
internal static class SpanText
{
    public static string Of(SpanBody body)
    {
        using var copy = new MemoryStream();
        var copied = body.CopyToAsync(copy, CancellationToken.None);
        Assert.True(copied.IsCompletedSuccessfully);
        Assert.Equal(body.Length, copy.Length);
        return Encoding.UTF8.GetString(copy.ToArray());
    }

    public static JsonObject Attributes(SpanBody body) =>
        JsonNode.Parse(Of(body))!["spans"]!.AsObject().Single().Value!["attributes"]!.AsObject();
}
