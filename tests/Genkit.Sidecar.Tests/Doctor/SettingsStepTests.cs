using Genkit.Sidecar.Cli;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Doctor;

namespace Genkit.Sidecar.Tests.Doctor;

public sealed class SettingsStepTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private SettingsStep _step = null!;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Settings_Good_SaysAddressesAndWhereTheyCameFrom()
    {
        var finding = await ExamineAsync("--app http://app:1", ("GENKIT_REFLECTION_V2_SERVER", "ws://h:3200/?token=secret"));

        Assert.Equal(
            Finding.Ok("manager ws://h:3200, from environment variable GENKIT_REFLECTION_V2_SERVER; application http://app:1, from flag --app").Found,
            finding.Found);
        Assert.Equal(StepStatus.Ok, finding.Status);
    }

    [Theory]
    [InlineData("--manager ws://h:1 --env-file FILE", null, "flag --manager says ws://h:1, and the flag counts", "Leave out `--manager`", 1)]
    [InlineData("--env-file FILE", "ws://h:1", "GENKIT_REFLECTION_V2_SERVER says ws://h:1, and the file counts", "Unset GENKIT_REFLECTION_V2_SERVER", 2)]
    public async Task EnvFile_SaysAnotherAddress_IsAWarning(string words, string? variable, string found, string remedy, int port)
    {
        var file = _directory.File("genkit.env", "GENKIT_REFLECTION_V2_SERVER=ws://h:2\n");

        var finding = await ExamineAsync(words.Replace("FILE", file, StringComparison.Ordinal), ("GENKIT_REFLECTION_V2_SERVER", variable ?? ""));

        Assert.Equal(StepStatus.Warning, finding.Status);
        Assert.Contains(found, finding.Found, StringComparison.Ordinal);
        Assert.Contains(remedy, Assert.Single(finding.Remedies), StringComparison.Ordinal);
        Assert.Equal(port, _step.Manager!.Port);
    }

    [Fact]
    public async Task Manager_MissingUnderTheCli_LeavesReflectionV1()
    {
        var finding = await ExamineAsync("", ("GENKIT_ENV", "dev"));

        Assert.Equal(StepStatus.Ok, finding.Status);
        Assert.StartsWith("no manager, Reflection API v1 alone; application", finding.Found, StringComparison.Ordinal);
        Assert.Null(_step.Manager);
    }

    [Fact]
    public async Task Manager_MissingUnderTheCliWithoutV1_IsTheMissingFlag()
    {
        var finding = await ExamineAsync("--reflection-v1 off", ("GENKIT_ENV", "dev"));

        Assert.Equal(StepStatus.Failed, finding.Status);
        Assert.Contains("`genkit start --experimental-reflection-v2 -- …`", finding.Remedies[0], StringComparison.Ordinal);
        Assert.Null(_step.Manager);
    }

    [Fact]
    public async Task Settings_Wrong_AreAllToldEachWithWhatItTakes()
    {
        var finding = await ExamineAsync("--manager http://h:1 --app-call-timeout 5 --app-ca /nowhere", ("GENKIT_SIDECAR_APP", "ftp://h"));

        Assert.Equal(StepStatus.Failed, finding.Status);
        Assert.All(
            ["use ws://h:1", "\"5\" has no unit", "\"/nowhere\" does not exist", "environment variable GENKIT_SIDECAR_APP"],
            text => Assert.Contains(text, finding.Found, StringComparison.Ordinal));
        Assert.Equal(4, finding.Remedies.Count);
        Assert.Contains(finding.Remedies, remedy => remedy.StartsWith("`--manager URL` (GENKIT_REFLECTION_V2_SERVER) takes ws://host:port", StringComparison.Ordinal));
        Assert.Null(_step.Manager);
    }

    [Fact]
    public async Task File_OfWrongForm_IsToBeCorrected()
    {
        var file = _directory.File("sidecar.json", """{ "manger": "ws://h:1" }""");

        var finding = await ExamineAsync($"--manager ws://h:1 --config {file}");

        Assert.Equal(StepStatus.Failed, finding.Status);
        Assert.Equal("Correct the file that `--config` names", Assert.Single(finding.Remedies));
        Assert.Equal(1, _step.Manager!.Port);
    }

    [Fact]
    public async Task File_ThatCannotBeRead_IsTheOneFinding()
    {
        var file = _directory.File("sidecar.json", "{ broken");

        var finding = await ExamineAsync($"--config {file}");

        Assert.Equal(StepStatus.Failed, finding.Status);
        Assert.StartsWith($"flag --config: {file} is not JSON (line 1, column 3)", finding.Found, StringComparison.Ordinal);
        Assert.Equal("`--config FILE` (GENKIT_SIDECAR_CONFIG) takes the path of a readable JSON file", Assert.Single(finding.Remedies));
    }

    [Theory]
    [InlineData("--app ftp://h --app-ca /nowhere --app-cert /nowhere", "app app-ca app-cert app-key")]
    [InlineData("--reconnect-interval 10s --keep-alive-timeout 14s", "keep-alive-interval keep-alive-timeout reconnect-interval reconnect-max-interval")]
    [InlineData("--run-timeout 1s", "")]
    public void ReadGood_AnyMistake_GivesCompleteSettingsAndSaysWhichAreNotWhatWasGiven(string words, string wrong)
    {
        var reading = Read(words);

        Assert.Equal(wrong, string.Join(' ', reading.Wrong.Select(setting => setting.Name).Order(StringComparer.Ordinal)));
        Assert.NotNull(reading.Settings.Application.Address);
        Assert.True(reading.Settings.Manager.KeepAliveTimeout > TimeSpan.Zero && reading.Settings.Application.CallTimeout > TimeSpan.Zero);
    }

    private async Task<Finding> ExamineAsync(string words, params (string Name, string Value)[] environment)
    {
        var variables = environment.ToDictionary(row => row.Name, row => row.Value);
        _step = new SettingsStep(Read(words, environment), Surroundings.Of(variables, _ => false));
        return await _step.ExamineAsync(TestContext.Current.CancellationToken);
    }

    private static PartialSettings Read(string words, params (string Name, string Value)[] environment)
    {
        var line = CommandLine.Parse(["doctor", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Empty(line.Problems);
        return SettingsReader.ReadGood(line.Flags, environment.ToDictionary(row => row.Name, row => row.Value));
    }
}
