using System.Buffers;
using System.Globalization;
using System.Text;

namespace Genkit.Sidecar.Grpc;

/// <summary>The text of <c>grpc-message</c>: UTF-8 in which every byte outside printable ASCII, and '%', is written as %XX.</summary>
internal static class StatusMessage
{
    private static readonly SearchValues<char> s_plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(number => (char)number).Where(character => character != '%')]);

    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(s_plain))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length + 16);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (s_plain.Contains((char)b))
            {
                encoded.Append((char)b);
            }
            else
            {
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return encoded.ToString();
    }

    /// <summary>Decodes leniently: what is not a valid escape stays as it came, as the specification wants it.</summary>
    public static string Decode(string text)
    {
        if (!text.Contains('%') && Ascii.IsValid(text))
        {
            return text;
        }

        var bytes = BufferPool.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        var count = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes[count++] = (byte)((Convert.FromHexString(text.AsSpan(i + 1, 2)))[0]);
                i += 2;
            }
            else
            {
                // Header values are read as Latin-1, so that a peer's raw UTF-8 arrives here byte for byte.
                bytes[count++] = (byte)c;
            }
        }

        var decoded = Encoding.UTF8.GetString(bytes, 0, count);
        BufferPool.Shared.Return(bytes);
        return decoded;
    }
}
