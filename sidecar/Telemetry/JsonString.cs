using System.Buffers;
using System.Text;

namespace Genkit.Sidecar.Telemetry;

/// <summary>Writes UTF-8 as a JSON string. Only what must be escaped is: a payload inside a string stays readable, and nearly as long.</summary>
internal static class JsonString
{
    private static readonly SearchValues<byte> s_escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(code => (byte)code), (byte)'"', (byte)'\\']);

    /// <summary>Bytes that <see cref="Write(IBufferWriter{byte}, in ReadOnlySequence{byte})"/> would write, without the quotes.</summary>
    public static long Length(in ReadOnlySequence<byte> utf8)
    {
        var length = utf8.Length;
        foreach (var segment in utf8)
        {
            var rest = segment.Span;
            while (rest.IndexOfAny(s_escaped) is >= 0 and var next)
            {
                length += ShortForm(rest[next]) == 0 ? 5 : 1;
                rest = rest[(next + 1)..];
            }
        }

        return length;
    }

    /// <summary>Writes valid UTF-8 in quotes.</summary>
    public static void Write(IBufferWriter<byte> output, in ReadOnlySequence<byte> utf8)
    {
        output.Write("\""u8);
        foreach (var segment in utf8)
        {
            Escape(output, segment.Span);
        }

        output.Write("\""u8);
    }

    /// <summary>Writes a text in quotes. Half of a surrogate pair becomes U+FFFD.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        output.Write("\""u8);
        Span<byte> utf8 = stackalloc byte[512];
        while (text.Length > 0)
        {
            var taken = Math.Min(text.Length, utf8.Length / 3);
            if (taken < text.Length && char.IsHighSurrogate(text[taken - 1]))
            {
                taken--;
            }

            Escape(output, utf8[..Encoding.UTF8.GetBytes(text[..taken], utf8)]);
            text = text[taken..];
        }

        output.Write("\""u8);
    }

    private static void Escape(IBufferWriter<byte> output, ReadOnlySpan<byte> utf8)
    {
        while (utf8.IndexOfAny(s_escaped) is >= 0 and var next)
        {
            output.Write(utf8[..next]);
            var code = utf8[next];
            if (ShortForm(code) is not 0 and var letter)
            {
                output.Write([(byte)'\\', letter]);
            }
            else
            {
                output.Write([(byte)'\\', (byte)'u', (byte)'0', (byte)'0', (byte)('0' + (code >> 4)), HexDigit(code & 0xF)]);
            }

            utf8 = utf8[(next + 1)..];
        }

        output.Write(utf8);
    }

    private static byte HexDigit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);

    /// <summary>The letter after the backslash; 0 where there is none.</summary>
    private static byte ShortForm(byte code) => code switch
    {
        (byte)'"' or (byte)'\\' => code,
        (byte)'\n' => (byte)'n',
        (byte)'\r' => (byte)'r',
        (byte)'\t' => (byte)'t',
        (byte)'\b' => (byte)'b',
        (byte)'\f' => (byte)'f',
        _ => 0,
    };
}
