using System.Buffers;
using System.Text;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Tests.JsonRpc;

/// <summary>The text of a frame as the socket sends it.</summary>
internal static class FrameText
{
    public static string Of(OutgoingFrame frame)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. frame.Head.Span, .. frame.Payload.ToArray(), .. frame.Tail.Span]);
        Assert.Equal(Encoding.UTF8.GetByteCount(text), frame.Length);
        return text;
    }
}
