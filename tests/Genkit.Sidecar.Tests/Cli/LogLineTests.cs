using Genkit.Sidecar.Cli;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Cli;

public sealed class LogLineTests
{
    [Theory]
    [InlineData("as it is: {\"a\"} é 😀")]
    [InlineData("two\nlines", "two lines")]
    [InlineData("a\r\nb\tc\u2028d", "a  b c d")]
    [InlineData("\u001b[31mred\u009b2J\u0000\u007f", "?[31mred?2J??")]
    public void Write_Message_IsOneLineThatLeavesTheTerminalAlone(string message, string? shown = null)
    {
        using var written = new StringWriter { NewLine = "\n" };
        var entry = new LogEntry<string>(LogLevel.Warning, "Genkit.Sidecar.Cli.Part", default, message, null, (state, _) => state);

        new LogLine(TimeProvider.System, hasColor: false).Write(entry, null, written);

        Assert.EndsWith($" warn: Part: {shown ?? message}\n", written.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, written.ToString().Count(char.IsControl));
    }

    [Theory]
    [InlineData(LogLevel.Debug, " \e[2mdbug\e[0m: A: x\n")]
    [InlineData(LogLevel.Information, " \e[32minfo\e[0m: A: x\n")]
    [InlineData(LogLevel.Warning, " \e[33mwarn\e[0m: A: x\n")]
    [InlineData(LogLevel.Error, " \e[31mfail\e[0m: A: x\n")]
    [InlineData(LogLevel.Critical, " \e[1;31mcrit\e[0m: A: x\n")]
    public void Write_InColor_ColorsTheLevelAlone(LogLevel level, string end)
    {
        using var written = new StringWriter { NewLine = "\n" };
        var entry = new LogEntry<string>(level, "A", default, "x", null, (state, _) => state);

        new LogLine(TimeProvider.System, hasColor: true).Write(entry, null, written);

        Assert.EndsWith(end, written.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, written.ToString().Count(c => c == '\e'));
    }
}
