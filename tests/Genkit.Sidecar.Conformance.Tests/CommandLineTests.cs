namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Errors in the command line are reported.</summary>
public class CommandLineTests
{
    [Theory]
    [InlineData("unknown feature wings", "--app", "http://127.0.0.1:1", "--without", "wings")]
    [InlineData("--app needs a value", "--app")]
    [InlineData("cannot be combined", "--app", "http://127.0.0.1:1", "--", "true")]
    [InlineData("unknown rule gravity", "serve", "--break", "gravity")]
    [InlineData("unknown argument --fast", "--fast")]
    [InlineData("'soon' is not a duration", "--app", "http://127.0.0.1:1", "--timeout", "soon")]
    [InlineData("'9999999999999m' is not a duration", "--app", "http://127.0.0.1:1", "--timeout", "9999999999999m")]
    [InlineData("0s is not between 1ms and 24 hours", "--app", "http://127.0.0.1:1", "--timeout", "0s")]
    [InlineData("--app-ca requires --app https://", "--app", "http://127.0.0.1:1", "--app-ca", "ca.pem")]
    [InlineData("serve runs no cases", "serve", "--app", "http://127.0.0.1:1")]
    [InlineData("--listen requires serve", "list", "--listen", "127.0.0.1:1")]
    [InlineData("--break applies to the kit's own application", "--app", "http://127.0.0.1:1", "--break", "result-twice")]
    public void CommandLine_WithAMistake_NamesIt(string message, params string[] arguments)
    {
        var mistake = Assert.Throws<UsageException>(() => CommandLine.Parse(arguments, Cases.Catalogue));

        Assert.Contains(message, mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CommandLine_BehindTwoDashes_IsTheApplications()
    {
        var line = CommandLine.Parse(["--timeout", "500ms", "--", "app", "--only", "x"], Cases.Catalogue);

        Assert.Equal(TimeSpan.FromMilliseconds(500), line.Timeout);
        Assert.Equal(["app", "--only", "x"], line.Command);
        Assert.Empty(line.Only);
    }
}
