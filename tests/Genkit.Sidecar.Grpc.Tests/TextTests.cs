using System.Text;

namespace Genkit.Sidecar.Grpc.Tests;

/// <summary>Header values.</summary>
public sealed class TextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain text", "plain text")]
    [InlineData("100%25", "100%")]
    [InlineData("K%C3%A4se", "Käse")]
    [InlineData("%f0%9f%91%a9", "👩")]
    [InlineData("a%0Ab", "a\nb")]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%4G", "%4G")]
    [InlineData("%%41", "%A")]
    [InlineData("x%41", "xA")]
    [InlineData("%FF", "\uFFFD")]
    public void StatusMessage_Encoded_IsDecodedLeniently(string encoded, string expected) => Assert.Equal(expected, StatusMessage.Decode(encoded));

    [Fact]
    public void StatusMessage_RawUtf8_IsRead() => Assert.Equal("Käse 👩", StatusMessage.Decode(Encoding.Latin1.GetString("Käse 👩"u8)));

    [Theory]
    [InlineData("", "")]
    [InlineData("AA", "00")]
    [InlineData("AA==", "00")]
    [InlineData("AAE", "0001")]
    [InlineData("AAE=", "0001")]
    [InlineData("AAEC", "000102")]
    [InlineData(" AAEC ", "000102")]
    [InlineData("+/+/", "fbffbf")]
    [InlineData("A", null)]
    [InlineData("A*BC", null)]
    public void BinaryHeader_PaddedOrNot_IsDecoded(string text, string? hex) =>
        Assert.Equal(hex, BinaryHeader.Decode(text) is { } bytes ? Convert.ToHexStringLower(bytes) : null);

    [Fact]
    public void BinaryHeader_AnyBytes_ComeBack()
    {
        for (var length = 0; length < 20; length++)
        {
            var bytes = new byte[length];
            new Random(length).NextBytes(bytes);

            var text = BinaryHeader.Encode(bytes);

            Assert.DoesNotContain('=', text);
            Assert.Equal(bytes, BinaryHeader.Decode(text));
        }
    }

    [Theory]
    [InlineData(1, "100n")]
    [InlineData(999_999, "99999900n")]
    [InlineData(1_000_000, "100000u")]
    [InlineData(1_000_001, "100001u")]
    [InlineData(TimeSpan.TicksPerSecond * 10, "10000000u")]
    [InlineData(TimeSpan.TicksPerSecond * 100, "100000m")]
    [InlineData((TimeSpan.TicksPerSecond * 100) + 1, "100001m")]
    [InlineData(TimeSpan.TicksPerSecond * 200_000, "200000S")]
    [InlineData(TimeSpan.TicksPerSecond * 200_000_000, "3333334M")]
    [InlineData(TimeSpan.TicksPerHour * 10_000_000, "10000000H")]
    [InlineData(0, "100n")]
    [InlineData(long.MaxValue, "99999999H")]
    public void Timeout_AnyLength_HasEightDigitsAtMostAndIsNeverShorter(long ticks, string expected)
    {
        var text = TimeoutHeader.Encode(TimeSpan.FromTicks(ticks));

        Assert.Equal(expected, text);
        Assert.InRange(text.Length, 2, 9);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("plain text ~", "plain text ~")]
    [InlineData("100%", "100%25")]
    [InlineData("Käse", "K%C3%A4se")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("👩", "%F0%9F%91%A9")]
    public void StatusMessage_Plain_IsEncodedAsPrintableAscii(string text, string expected) => Assert.Equal(expected, StatusMessage.Encode(text));

    [Fact]
    public void StatusMessage_HalfACharacter_IsReplaced() => Assert.Equal("%EF%BF%BD", StatusMessage.Encode("\ud83d"));

    [Theory]
    [InlineData("1n", 1L)]
    [InlineData("100n", 1L)]
    [InlineData("101n", 2L)]
    [InlineData("0S", 0L)]
    [InlineData("7u", TimeSpan.TicksPerMicrosecond * 7)]
    [InlineData("00000020m", TimeSpan.TicksPerMillisecond * 20)]
    [InlineData("3S", TimeSpan.TicksPerSecond * 3)]
    [InlineData("4M", TimeSpan.TicksPerMinute * 4)]
    [InlineData("99999999H", TimeSpan.TicksPerHour * 99_999_999)]
    [InlineData("", null)]
    [InlineData("S", null)]
    [InlineData("1", null)]
    [InlineData("1s", null)]
    [InlineData("-1S", null)]
    [InlineData(" 1S", null)]
    [InlineData("1.5S", null)]
    [InlineData("100000000S", null)]
    public void Timeout_Received_IsDecodedOrRefused(string text, long? ticks) => Assert.Equal(ticks, TimeoutHeader.Decode(text)?.Ticks);
}
