using System.Buffers;
using System.Globalization;
using System.Text;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.Otlp;

/// <summary>
/// Writes JSON from front to back into one array, and can take back what it wrote last. Puts the commas; whether starts and ends match is
/// its caller's to see.
/// </summary>
internal sealed class JsonWriter : IBufferWriter<byte>
{
    private byte[] _bytes = new byte[1024];
    private bool _needsComma;

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Clear()
    {
        Length = 0;
        _needsComma = false;
    }

    /// <summary>Takes back the value of a member, so that another can be written.</summary>
    /// <param name="length">What had been written before the value.</param>
    public void TakeBackTo(int length)
    {
        Length = length;
        _needsComma = false;
    }

    public void StartObject() => Start((byte)'{');

    public void EndObject() => End((byte)'}');

    public void StartArray() => Start((byte)'[');

    public void EndArray() => End((byte)']');

    public void Name(ReadOnlySpan<char> name)
    {
        Text(name);
        Put((byte)':');
        _needsComma = false;
    }

    public void Text(ReadOnlySpan<char> text)
    {
        Separate();
        JsonString.Write(this, text);
    }

    public void Text(ReadOnlySpan<char> name, ReadOnlySpan<char> text)
    {
        Name(name);
        Text(text);
    }

    public void Number(long number) => Ascii(number.ToString(CultureInfo.InvariantCulture));

    /// <param name="number">Finite.</param>
    public void Number(double number) => Ascii(number.ToString("R", CultureInfo.InvariantCulture));

    public void Number(decimal number) => Ascii(number.ToString(CultureInfo.InvariantCulture));

    public void Boolean(bool value) => Ascii(value ? "true" : "false");

    public void Null() => Ascii("null");

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = Length + Math.Max(1, sizeHint);
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(needed, (int)Math.Min(_bytes.Length * 2L, Array.MaxLength)));
        }

        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Start(byte bracket)
    {
        Separate();
        Put(bracket);
        _needsComma = false;
    }

    private void End(byte bracket)
    {
        Put(bracket);
        _needsComma = true;
    }

    private void Ascii(string ascii)
    {
        Separate();
        Advance(Encoding.ASCII.GetBytes(ascii, GetSpan(ascii.Length)));
    }

    private void Separate()
    {
        if (_needsComma)
        {
            Put((byte)',');
        }

        _needsComma = true;
    }

    private void Put(byte ascii)
    {
        GetSpan(1)[0] = ascii;
        Advance(1);
    }
}
