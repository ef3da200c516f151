using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Json;

public class JsonPayloadTests
{
    [Theory]
    [InlineData("{}", JsonTokenType.StartObject)]
    [InlineData(" [1] ", JsonTokenType.StartArray)]
    [InlineData("\t\"a\"\r\n", JsonTokenType.String)]
    [InlineData("9007199254740993", JsonTokenType.Number)]
    [InlineData("-0", JsonTokenType.Number)]
    [InlineData("1e400", JsonTokenType.Number)]
    [InlineData("true", JsonTokenType.True)]
    [InlineData("false", JsonTokenType.False)]
    [InlineData("null", JsonTokenType.Null)]
    [InlineData("""{"a":1,"a":2}""", JsonTokenType.StartObject)]
    [InlineData("\"\\ud800\"", JsonTokenType.String)]
    [InlineData("\"\\u0000\"", JsonTokenType.String)]
    public void FindDefect_OneValue_IsAcceptedAndNamed(string json, JsonTokenType kind)
    {
        Assert.Null(JsonPayload.FindDefect(Encoding.UTF8.GetBytes(json), out var root));
        Assert.Equal(kind, root);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("1 2")]
    [InlineData("{}{}")]
    [InlineData("{},")]
    [InlineData("{}x")]
    [InlineData("{} }")]
    [InlineData("null\0")]
    [InlineData("\uFEFF{}")]
    [InlineData("{}\uFEFF")]
    [InlineData("// no\n1")]
    [InlineData("[1,]")]
    [InlineData("'a'")]
    [InlineData("NaN")]
    [InlineData("01")]
    [InlineData("\"\u0001\"")]
    [InlineData("\u00A01")]
    public void FindDefect_NotOneValue_IsRefused(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);

        Assert.NotNull(JsonPayload.FindDefect(bytes, out var root));
        Assert.Equal(JsonTokenType.None, root);
        Assert.NotNull(JsonPayload.FindDefect(Sequences.Every(1, bytes), out _));
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(JsonPayload.MaxDepth)]
    public void FindDefect_DeepPayload_IsAccepted(int depth)
    {
        Assert.Null(JsonPayload.FindDefect(Nested(depth), out _));
        Assert.Null(JsonPayload.FindDefect(Sequences.Every(4096, Nested(depth)), out _));
    }

    [Fact]
    public void FindDefect_DeeperThanTheLimit_IsRefused()
    {
        Assert.NotNull(JsonPayload.FindDefect(Nested(JsonPayload.MaxDepth + 1), out _));
    }

    [Fact]
    public void FindDefect_BadPayload_SaysWhereWithoutQuotingIt()
    {
        var defect = JsonPayload.FindDefect("""{"password":hunter2}"""u8.ToArray(), out _);

        Assert.Equal("it is not valid JSON at byte 12", defect);
    }

    [Theory]
    [InlineData("t")]
    [InlineData("[tru")]
    [InlineData("{\"a\":n")]
    public void FindDefect_LiteralBreaksOffBeforeAnEmptySegment_IsRefused(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);

        Assert.NotNull(JsonPayload.FindDefect(Sequences.At(bytes, bytes.Length), out _));
        Assert.NotNull(JsonPayload.FindDefect(Sequences.At(bytes, 1, bytes.Length, bytes.Length), out _));
    }

    [Fact]
    public void FindDefect_EmptySegmentsAround_ChangeNothing()
    {
        var json = """{"a":[1,"é"]}"""u8.ToArray();

        Assert.Null(JsonPayload.FindDefect(Sequences.At(json, 0, 0, 5, 5, json.Length, json.Length), out var root));
        Assert.Equal(JsonTokenType.StartObject, root);
        Assert.Equal("it is empty", JsonPayload.FindDefect(Sequences.At(ReadOnlyMemory<byte>.Empty, 0, 0), out _));
    }

    /// <summary>A payload that is accepted is one JSON value, so it can be spliced wherever a value may be.</summary>
    [Fact]
    public void FindDefect_BytesAtRandom_AgreesWithTheParserOfTheFramework()
    {
        var random = new Random(20261121);
        var alphabet = "{}[]:,\"\\u0d8 \t1-+.eEtrufalsn\u00e9"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(1, 12)];
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = alphabet[random.Next(alphabet.Length)];
            }

            var accepted = JsonPayload.FindDefect(Sequences.Randomly(random, bytes, 3), out _) is null;

            Assert.Equal(IsParsed(bytes), accepted);
        }
    }

    private static byte[] Nested(int depth)
    {
        var json = new byte[depth * 2];
        json.AsSpan(0, depth).Fill((byte)'[');
        json.AsSpan(depth).Fill((byte)']');
        return json;
    }

    private static bool IsParsed(byte[] bytes)
    {
        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            using var document = JsonDocument.Parse(new ReadOnlySequence<byte>(bytes));
            return true;
        }
        catch (Exception exception) when (exception is JsonException or DecoderFallbackException)
        {
            return false;
        }
    }
}
