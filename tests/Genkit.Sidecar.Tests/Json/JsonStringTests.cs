using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Json;

public class JsonStringTests
{
    private static readonly string s_everything = string.Concat(Enumerable.Range(0, 0x250).Select(code => (char)code)) + "€🌍\\\"";

    [Fact]
    public void Write_BytesInSegmentsOfAnyLength_ReadBackTheSame()
    {
        var utf8 = Encoding.UTF8.GetBytes(s_everything);
        for (var size = 1; size <= utf8.Length; size++)
        {
            var output = new ArrayBufferWriter<byte>();
            var sequence = Sequences.Every(size, utf8);

            JsonString.Write(output, sequence);

            Assert.Equal(s_everything, JsonSerializer.Deserialize<string>(output.WrittenSpan));
            Assert.Equal(output.WrittenCount - 2, JsonString.Length(sequence));
        }
    }

    [Fact]
    public void Write_TextOfAnyLength_ReadsBackTheSame()
    {
        // Long enough to be encoded in several pieces, some of which split a surrogate pair.
        for (var length = 0; length < 600; length++)
        {
            var text = string.Concat(Enumerable.Repeat("🌍", length)).Insert(length / 2 * 2, "\n");
            var output = new ArrayBufferWriter<byte>();

            JsonString.Write(output, text);

            Assert.Equal(text, JsonSerializer.Deserialize<string>(output.WrittenSpan));
        }
    }

    [Fact]
    public void Write_LoneSurrogates_BecomeReplacements()
    {
        var output = new ArrayBufferWriter<byte>();

        JsonString.Write(output, "\ud800a\udc00");

        Assert.Equal("\ufffda\ufffd", JsonSerializer.Deserialize<string>(output.WrittenSpan));
    }
}
