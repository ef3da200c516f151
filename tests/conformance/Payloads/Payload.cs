using System.Text;
using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>
/// The payload of a case. A JSON value stands for exactly its bytes in the file, including white space and escapes. An object with one member that starts with <c>$</c> is a
/// generator: <c>$text</c> (any text), <c>$hex</c>, <c>$string</c> (a JSON string of the given size in bytes, including quotes), <c>$nested</c> (the given number of nested arrays),
/// <c>$repeat</c> (a JSON string that repeats a text), <c>$padded</c> (a text in which <c>{{padding}}</c> is replaced by the given number of x).
/// </summary>
internal sealed class Payload
{
    private readonly Func<CaseValues, byte[]> _bytes;

    private Payload(Func<CaseValues, byte[]> bytes) => _bytes = bytes;

    /// <exception cref="FormatException">It is not a payload.</exception>
    public static Payload Parse(JsonElement value)
    {
        if (GeneratorOf(value) is not { } generator)
        {
            var text = value.GetRawText();
            return new Payload(values => Encoding.UTF8.GetBytes(values.Fill(text)));
        }

        var argument = generator.Value;
        switch (generator.Name)
        {
            case "$text":
                var text = argument.GetString()!;
                return new Payload(values => Encoding.UTF8.GetBytes(values.Fill(text)));
            case "$hex":
                var bytes = Convert.FromHexString(argument.GetString()!.Replace(" ", "", StringComparison.Ordinal));
                return new Payload(_ => bytes);
            case "$string":
                var size = Size.Parse(argument);
                return new Payload(_ => JsonString(size));
            case "$nested":
                var depth = Size.Parse(argument);
                return new Payload(_ => Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth)));
            case "$repeat":
                var (unit, times) = (argument[0].GetString()!, Size.Parse(argument[1]));
                return new Payload(_ => Encoding.UTF8.GetBytes($"\"{string.Concat(Enumerable.Repeat(unit, times))}\""));
            case "$padded":
                var (frame, padding) = (argument[0].GetString()!, new string('x', Size.Parse(argument[1])));
                return new Payload(values => Encoding.UTF8.GetBytes(values.Fill(frame).Replace("{{padding}}", padding, StringComparison.Ordinal)));
            default:
                throw new FormatException($"{generator.Name} is not a payload generator");
        }
    }

    /// <summary>Returns the bytes, as a new array for each call.</summary>
    public byte[] Build(CaseValues values) => _bytes(values);

    /// <summary>Returns the only member of an object if its name starts with $.</summary>
    public static JsonProperty? GeneratorOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        foreach (var member in value.EnumerateObject())
        {
            return member.Name.StartsWith('$') ? member : null;
        }

        return null;
    }

    // Use varying letters, so that a lost or duplicated piece is detected.
    private static byte[] JsonString(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 2);
        var bytes = new byte[size];
        for (var i = 0; i < size; i++)
        {
            bytes[i] = (byte)('a' + ((i + (i / 257)) % 26));
        }

        bytes[0] = bytes[^1] = (byte)'"';
        return bytes;
    }
}
