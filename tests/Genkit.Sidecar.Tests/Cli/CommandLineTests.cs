using Genkit.Sidecar.Cli;

namespace Genkit.Sidecar.Tests.Cli;

public sealed class CommandLineTests
{
    [Fact]
    public void Parse_WordsAfterTwoDashes_AreTheCommandVerbatim()
    {
        var line = CommandLine.Parse(["run", "--name", "x", "--", "@file", "--name", "y", "--", "-h", ""]);

        Assert.Equal(Verb.Run, line.Verb);
        Assert.Equal(["@file", "--name", "y", "--", "-h", ""], line.Command);
        Assert.Equal(["x"], line.Flags["name"]);
        Assert.False(line.WantsHelp);
        Assert.Empty(line.Problems);
    }

    [Fact]
    public void Parse_FlagsInEitherFormAndPlace_AreTaken()
    {
        var line = CommandLine.Parse(["--name=a=b", "run", "--app-header", "x: 1", "--app-header=y: -2", "--run-grace", "-1s"]);

        Assert.Equal(["a=b"], line.Flags["name"]);
        Assert.Equal(["x: 1", "y: -2"], line.Flags["app-header"]);
        Assert.Equal(["-1s"], line.Flags["run-grace"]);
        Assert.Empty(line.Problems);
    }

    [Fact]
    public void Parse_Call_TakesKeyInputAndStream()
    {
        var line = CommandLine.Parse(["call", "--stream", "/flow/x", "-"]);

        Assert.Equal((Verb.Call, true), (line.Verb!.Value, line.IsStreaming));
        Assert.Equal(["/flow/x", "-"], line.Arguments);
        Assert.Equal(["/flow/x", "-5"], CommandLine.Parse(["call", "/flow/x", "-5"]).Arguments);
    }

    [Fact]
    public void Parse_Doctor_TakesAnActionItsInputAndACommand()
    {
        var line = CommandLine.Parse(["doctor", "--json", "--run", "/flow/x", "-5", "--", "python", "app.py"]);

        Assert.Empty(line.Problems);
        Assert.Equal((Verb.Doctor, true, "/flow/x"), (line.Verb!.Value, line.IsJson, line.RunKey));
        Assert.Equal(["-5"], line.Arguments);
        Assert.Equal(["python", "app.py"], line.Command);
        Assert.Equal("/flow/x=y", CommandLine.Parse(["doctor", "--run=/flow/x=y"]).RunKey);
    }

    [Theory]
    [InlineData("rnu", "\"rnu\" is not a verb, did you mean run?")]
    [InlineData("run --mangaer ws://h:1", "there is no flag \"--mangaer\", did you mean --manager?")]
    [InlineData("run -x", "there is no flag \"-x\"")]
    [InlineData("run --manager", "flag --manager: has no value; accepted: ws://host:port or wss://host:port")]
    [InlineData("run --name --", "flag --name: has no value; accepted: a name without control characters|no command comes after --")]
    [InlineData("run --", "no command comes after --")]
    [InlineData("run python app.py", "\"python\": a command comes after --, as in `run -- python`")]
    [InlineData("run --stream", "flag --stream: only `call` takes it")]
    [InlineData("actions -- sh", "-- comes before the command of `run` or `doctor`, and no other verb takes one")]
    [InlineData("run --json", "flag --json: only `doctor` takes it")]
    [InlineData("call /flow/x --run /flow/y", "flag --run: only `doctor` takes it")]
    [InlineData("doctor --run", "flag --run: needs the KEY of an action, such as /flow/summarize")]
    [InlineData("doctor --run=", "flag --run: needs the KEY of an action, such as /flow/summarize")]
    [InlineData("doctor --run --json", "flag --run: needs the KEY of an action, such as /flow/summarize")]
    [InlineData("doctor {}", "\"{}\": is one argument too many")]
    [InlineData("doctor --run /flow/x {} {}", "\"{}\": is one argument too many")]
    [InlineData("actions x", "\"x\": is one argument too many")]
    [InlineData("call", "`call` needs the KEY of an action, such as /flow/summarize")]
    [InlineData("call a b c", "\"c\": is one argument too many")]
    public void Parse_Mistakes_AreExplained(string words, string problems) =>
        Assert.Equal(problems.Split('|'), CommandLine.Parse(words.Split(' ')).Problems);
}
