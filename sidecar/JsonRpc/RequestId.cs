using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>
/// The id of a request: a string or a number, kept as the token that came, because the manager finds
/// its caller only by an id of the same JSON type and text.
/// </summary>
internal readonly struct RequestId
{
    private readonly byte[] _token;

    public RequestId(byte[] token) => _token = token;

    /// <summary>The JSON token, quotes included where it is a string.</summary>
    public ReadOnlySpan<byte> Token => _token;

    public bool IsString => _token[0] == '"';

    /// <summary>The id without its JSON syntax. "1" and 1 have the same text, as the two are one key to a manager's maps of strings.</summary>
    public string Text
    {
        get
        {
            if (!IsString)
            {
                return Encoding.UTF8.GetString(_token);
            }

            var reader = new Utf8JsonReader(_token);
            reader.Read();

            // With a lone surrogate in it the token itself is as good a key.
            return reader.GetStringOrNull() ?? Encoding.UTF8.GetString(_token);
        }
    }

    /// <summary>The id as the number that Genkit's manager counts up, or null if it is not one.</summary>
    public long? Number
    {
        get
        {
            var digits = IsString ? _token.AsSpan()[1..^1] : _token;
            return Utf8Parser.TryParse(digits, out long number, out var consumed) && consumed == digits.Length ? number : null;
        }
    }

    public override string ToString() => Text;
}
