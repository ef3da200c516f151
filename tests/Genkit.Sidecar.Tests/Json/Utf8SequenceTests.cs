using System.Buffers;
using System.Text;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Json;

public class Utf8SequenceTests
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    [Theory]
    [InlineData("a\u00e9\u20ac\U0001F600z")]
    [InlineData("\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010FFFF")]
    public void IsValid_CharactersAcrossEveryBorder_AreValid(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                Assert.True(Utf8Sequence.IsValid(Sequences.At(bytes, first, second)));
            }
        }

        Assert.True(Utf8Sequence.IsValid(Sequences.Every(1, bytes)));
    }

    [Theory]
    [InlineData("C0 80")]
    [InlineData("C1 BF")]
    [InlineData("E0 80 80")]
    [InlineData("E0 9F BF")]
    [InlineData("F0 80 80 80")]
    [InlineData("F0 8F BF BF")]
    [InlineData("ED A0 80")]
    [InlineData("ED BF BF")]
    [InlineData("F4 90 80 80")]
    [InlineData("F8 88 80 80 80")]
    [InlineData("80")]
    [InlineData("BF BF")]
    [InlineData("C3 28")]
    [InlineData("E2 82 28")]
    [InlineData("F0 9F 98 28")]
    [InlineData("F0 9F C3 A9")]
    [InlineData("FE")]
    [InlineData("FF")]
    public void IsValid_IllFormedBytes_AreRefusedHoweverCut(string hex)
    {
        byte[] bytes = [(byte)'a', .. Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), (byte)'z'];

        Assert.False(Utf8Sequence.IsValid(new ReadOnlySequence<byte>(bytes)));
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.False(Utf8Sequence.IsValid(Sequences.At(bytes, cut)));
            Assert.False(Utf8Sequence.IsValid(Sequences.At(bytes, cut, cut)));
        }

        Assert.False(Utf8Sequence.IsValid(Sequences.Every(1, bytes)));
    }

    [Theory]
    [InlineData("\u00e9")]
    [InlineData("\u20ac")]
    [InlineData("\U0001F600")]
    public void IsValid_CharacterTruncatedAnywhere_IsRefused(string character)
    {
        var bytes = Encoding.UTF8.GetBytes("ab" + character);
        for (var length = 3; length < bytes.Length; length++)
        {
            var truncated = bytes.AsMemory(0, length);

            Assert.False(Utf8Sequence.IsValid(new ReadOnlySequence<byte>(truncated)));
            Assert.False(Utf8Sequence.IsValid(Sequences.Every(1, truncated)));
            Assert.False(Utf8Sequence.IsValid(Sequences.At(truncated, 2)));
            Assert.False(Utf8Sequence.IsValid(Sequences.At(truncated, length)));
        }
    }

    [Fact]
    public void IsValid_NoBytes_IsValid()
    {
        Assert.True(Utf8Sequence.IsValid(ReadOnlySequence<byte>.Empty));
        Assert.True(Utf8Sequence.IsValid(Sequences.At(ReadOnlyMemory<byte>.Empty, 0, 0)));
    }

    [Fact]
    public void IsValid_BytesAtRandomInPieces_AgreesWithTheWhole()
    {
        var random = new Random(20261122);
        byte[] interesting = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF3, 0xF4, 0xF5, 0xFF];
        for (var round = 0; round < 100_000; round++)
        {
            var bytes = new byte[random.Next(0, 10)];
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = interesting[random.Next(interesting.Length)];
            }

            Assert.Equal(IsWellFormed(bytes), Utf8Sequence.IsValid(Sequences.Randomly(random, bytes, 4)));
        }
    }

    private static bool IsWellFormed(byte[] bytes)
    {
        try
        {
            _ = s_strict.GetCharCount(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
