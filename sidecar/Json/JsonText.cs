using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Genkit.Sidecar.Json;

/// <summary>
/// Reads names and strings that may hold a lone surrogate, such as <c>"\ud800"</c>. JSON allows it and JSON.parse takes it, but
/// <see cref="Utf8JsonReader"/>'s own methods throw, for it has no UTF-8 form.
/// </summary>
internal static class JsonText
{
    public static bool NameEquals(this ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        try
        {
            return reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// Gives the value of a string or a name as JSON.parse does, with lone surrogates where escapes make such. The bytes must be valid UTF-8.
    /// </summary>
    public static string GetStringAsEscaped(this ref Utf8JsonReader reader)
    {
        if (reader.GetStringOrNull() is { } text)
        {
            return text;
        }

        var raw = Encoding.UTF8.GetString(reader.HasValueSequence ? reader.ValueSequence : new ReadOnlySequence<byte>(reader.ValueSpan.ToArray()));
        var plain = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                plain.Append(raw[i]);
                continue;
            }

            i++;
            if (raw[i] == 'u')
            {
                plain.Append((char)ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
            }
            else
            {
                plain.Append(raw[i] switch
                {
                    'b' => '\b',
                    'f' => '\f',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    var itself => itself,
                });
            }
        }

        return plain.ToString();
    }

    /// <summary>Gives the value of a string, or null if it has no UTF-16 form that another program would take.</summary>
    public static string? GetStringOrNull(this ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
