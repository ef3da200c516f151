using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Tests.JsonRpc;

/// <summary>Compares a message with a <see cref="JsonDocument"/> of the same frame. In both, the last of duplicate members counts.</summary>
internal static class ReadMessage
{
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 100_000 };

    public static void AssertEqualsDocument(ReadOnlySequence<byte> frame, ReceivedMessage message)
    {
        using var document = JsonDocument.Parse(frame, s_options);
        var root = document.RootElement;
        foreach (var (name, slice) in MessageSlices.Envelope(message))
        {
            AssertEqualsMember(root, name, message, slice);
        }

        var hasParams = root.TryGetProperty("params", out var parameters) && parameters.ValueKind == JsonValueKind.Object;
        foreach (var (name, slice) in MessageSlices.Params(message))
        {
            if (hasParams)
            {
                AssertEqualsMember(parameters, name, message, slice);
            }
            else
            {
                Assert.False(slice.IsPresent);
            }
        }
    }

    private static void AssertEqualsMember(JsonElement parent, string name, ReceivedMessage message, JsonSlice slice)
    {
        if (parent.TryGetProperty(name, out var value))
        {
            Assert.Equal(value.GetRawText(), Encoding.UTF8.GetString(message.Bytes(slice)));
        }
        else
        {
            Assert.False(slice.IsPresent);
        }
    }
}
