using System.Buffers;
using System.Text;

namespace Genkit.Sidecar.Json;

/// <summary>Writes UTF-8 as a JSON string. Only what must be escaped is: a payload inside a string stays readable, and nearly as long.</summary>
internal static class JsonString
{
    private const int LongestEscape = 6;

    private static readonly SearchValues<byte> s_escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(code => (byte)code), (byte)'"', (byte)'\\']);

    /// <summary>Those of <see cref="s_escaped"/> that take six bytes. Valid JSON has none.</summary>
    private static readonly SearchValues<byte> s_rare = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(code => (byte)code).Where(code => ShortForm(code) == 0)]);

    /// <summary>Bytes that <see cref="Write(IBufferWriter{byte}, in ReadOnlySequence{byte})"/> would write, without the quotes.</summary>
    public static long Length(in ReadOnlySequence<byte> utf8)
    {
        var length = utf8.Length;
        foreach (var segment in utf8)
        {
            // Every second byte of a payload may be a quote: counting is many times faster than finding one after the other.
            var rest = segment.Span;
            foreach (var code in "\"\\\n\r\t\b\f"u8)
            {
                length += rest.Count(code);
            }

            while (rest.IndexOfAny(s_rare) is >= 0 and var next)
            {
                length += 5;
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
        while (utf8.Length > 0)
        {
            var span = output.GetSpan(LongestEscape);
            var written = 0;
            while (utf8.Length > 0 && span.Length - written >= LongestEscape)
            {
                var plain = utf8.IndexOfAny(s_escaped);
                plain = Math.Min(plain < 0 ? utf8.Length : plain, span.Length - written);
                utf8[..plain].CopyTo(span[written..]);
                utf8 = utf8[plain..];
                written += plain;
                while (utf8.Length > 0 && s_escaped.Contains(utf8[0]) && span.Length - written >= LongestEscape)
                {
                    written += Escape(utf8[0], span[written..]);
                    utf8 = utf8[1..];
                }
            }

            output.Advance(written);
        }
    }

    /// <returns>Bytes written.</returns>
    private static int Escape(byte code, Span<byte> output)
    {
        output[0] = (byte)'\\';
        output[1] = ShortForm(code);
        if (output[1] != 0)
        {
            return 2;
        }

        "u00"u8.CopyTo(output[1..]);
        output[4] = (byte)('0' + (code >> 4));
        output[5] = HexDigit(code & 0xF);
        return LongestEscape;
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
