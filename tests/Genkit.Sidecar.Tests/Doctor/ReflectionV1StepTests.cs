using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Doctor;
using Genkit.Sidecar.Tests.Configuration;

namespace Genkit.Sidecar.Tests.Doctor;

public sealed class ReflectionV1StepTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("genkit-sidecar-v1-step-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData(".genkit")]
    [InlineData(".genkit/runtimes")]
    public void Examine_AllIsWell_SaysWhereAndLeavesNothingBehind(string existing)
    {
        Directory.CreateDirectory(Path.Combine(_root, existing));

        var finding = Examine($"--reflection-v1 127.0.0.1:0 --project-root {_root}");

        Assert.Equal(StepStatus.Ok, finding.Status);
        Assert.Equal($"it can be served at 127.0.0.1:0; the CLI finds it by a file in {_root}/.genkit/runtimes, when that is started in {_root} or below", finding.Found);
        Assert.Empty(Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Examine_PortIsTaken_IsAWarning()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var finding = Examine($"--reflection-v1 {taken.LocalEndpoint} --project-root {_root}");

        Assert.Equal(StepStatus.Warning, finding.Status);
        Assert.StartsWith($"something listens at {taken.LocalEndpoint} already", finding.Found, StringComparison.Ordinal);
        Assert.Contains("`--reflection-v1 ADDRESS`", Assert.Single(finding.Remedies), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nowhere/at/all", "there is no folder /nowhere/at/all")]
    [InlineData("/proc", "")]
    public void Examine_NoFileCanBeMade_IsAWarning(string root, string reason)
    {
        var finding = Examine($"--reflection-v1 127.0.0.1:0 --project-root {root}");

        Assert.Equal(StepStatus.Warning, finding.Status);
        Assert.Contains($"no runtime file can be made in {root}/.genkit/runtimes: {reason}", finding.Found, StringComparison.Ordinal);
        Assert.Contains("`--project-root FOLDER`", Assert.Single(finding.Remedies), StringComparison.Ordinal);
    }

    private static Finding Examine(string words)
    {
        var settings = Reading.Good(words);
        return new ReflectionV1Step(settings.ReflectionV1, settings.Runtime).Examine();
    }
}
