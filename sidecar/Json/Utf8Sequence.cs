using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Genkit.Sidecar.Json;

/// <summary>UTF-8 validity over segments, where a character may lie across their border.</summary>
internal static class Utf8Sequence
{
    public static bool IsValid(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
        {
            return Utf8.IsValid(bytes.FirstSpan);
        }

        Span<byte> border = stackalloc byte[4];
        var carried = 0;
        foreach (var segment in bytes)
        {
            var rest = segment.Span;
            while (carried > 0 && rest.Length > 0)
            {
                border[carried++] = rest[0];
                rest = rest[1..];
                var status = Rune.DecodeFromUtf8(border[..carried], out _, out _);
                if (status == OperationStatus.Done)
                {
                    carried = 0;
                }
                else if (status != OperationStatus.NeedMoreData)
                {
                    return false;
                }
            }

            var whole = rest.Length - IncompleteTail(rest);
            if (!Utf8.IsValid(rest[..whole]))
            {
                return false;
            }

            rest[whole..].CopyTo(border[carried..]);
            carried += rest.Length - whole;
        }

        return carried == 0;
    }

    /// <summary>Counts the bytes at the end that only start a character.</summary>
    private static int IncompleteTail(ReadOnlySpan<byte> bytes)
    {
        for (var length = 1; length <= Math.Min(3, bytes.Length); length++)
        {
            var lead = bytes[^length];
            if ((lead & 0xC0) == 0x80)
            {
                continue;
            }

            var needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
            return needed > length ? length : 0;
        }

        return 0;
    }
}
