using System.Text;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Tests.Supervision;

public sealed class PrefixedLinesTests
{
    private const string Prefix = "\e[2mapp |\e[22m ";

    [Theory]
    [InlineData("a\r\nb\r\n", $"{Prefix}a\n{Prefix}b\n")]
    [InlineData("a\n\nb\n", $"{Prefix}a\n{Prefix}\n{Prefix}b\n")]
    [InlineData("a|b\r\n|c", $"{Prefix}ab\n{Prefix}c\n")]
    [InlineData("10 %\r|20 %\r|\n", $"{Prefix}10 %\r20 %\n")]
    [InlineData("a\r|\nb\r\r\n", $"{Prefix}a\n{Prefix}b\r\n")]
    [InlineData("\e[31mred|\r\nstill\e[0m\r\n", $"{Prefix}\e[31mred\n{Prefix}still\e[0m\n")]
    [InlineData("", "")]
    public void Write_AnyChunks_PrefixesEachLineOnceAndEndsTheLast(string chunks, string shown)
    {
        using var destination = new MemoryStream();
        var lines = new PrefixedLines(destination);

        foreach (var chunk in chunks.Split('|'))
        {
            lines.Write(Encoding.UTF8.GetBytes(chunk));
        }

        lines.End();

        Assert.Equal(shown, Encoding.UTF8.GetString(destination.ToArray()));
    }

    [Fact]
    public void Write_TerminalIsGone_TakesTheRest()
    {
        using var destination = new FullStream();
        var lines = new PrefixedLines(destination);

        lines.Write("a\n"u8);
        lines.Write("b\n"u8);

        Assert.Equal(1, destination.Writes);
    }

    private sealed class FullStream : MemoryStream
    {
        public int Writes { get; private set; }

        public override void Write(byte[] buffer, int offset, int count)
        {
            Writes++;
            throw new IOException("Input/output error");
        }
    }
}
