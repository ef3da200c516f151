using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`genkit-sidecar actions` and `call`, which connect directly to a running application.</summary>
public sealed class CommandLineTests : EndToEndTest
{
    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Actions_ApplicationRuns_PrintsEveryKey(string language)
    {
        var address = await StartAsync(language, UnixSocket);

        var (exitCode, printed) = await RunAsync("actions", "--app", address);

        Assert.Equal(0, exitCode);
        Assert.All(
            ["/flow/chat", "/flow/countdown", "/flow/fail", "/flow/greet", "/flow/slow"],
            key => Assert.Contains(key, printed, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Call_PlainFlowOverTcp_PrintsTheResult(string language)
    {
        var address = await StartAsync(language, FreeAddress());

        var (exitCode, printed) = await RunAsync("call", "/flow/greet", """{"name": "Ada"}""", "--app", $"http://{address}");

        Assert.Equal(0, exitCode);
        Assert.Contains("Hello, Ada!", printed, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Call_StreamingFlow_PrintsTheChunksAndThenTheResult(string language)
    {
        var address = await StartAsync(language, UnixSocket);

        var (exitCode, printed) = await RunAsync("call", "/flow/countdown", """{"from": 2}""", "--stream", "--app", address);

        Assert.Equal(0, exitCode);
        Assert.Matches("""(?s)"count": ?2.*"count": ?1.*Liftoff!""", printed);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Call_FailingFlow_Fails(string language)
    {
        var address = await StartAsync(language, UnixSocket);

        var (exitCode, _) = await RunAsync("call", "/flow/fail", "--app", address);

        Assert.NotEqual(0, exitCode);
    }

    private string UnixSocket => $"unix:{Path.Combine(Workspace.Folder, "app.sock")}";

    private async Task<string> StartAsync(string language, string address)
    {
        var application = Workspace.Start(
            HelloApplication.In(language).Command,
            new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = address });
        await application.Output.FirstAsync(line => line == $"hello-{language} listens on {address}", "its address");
        return address;
    }

    private async Task<(int ExitCode, string Printed)> RunAsync(params IEnumerable<string> arguments)
    {
        var command = Workspace.Start(SidecarCommand.Of(Workspace, arguments));
        return (await command.ExitAsync(), $"{command.Output}");
    }

    private static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"{listener.LocalEndpoint}";
    }
}
