using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The sidecar for linux-arm64 under qemu, with an application that runs natively on this machine.</summary>
[Trait("Tier", "All")]
public sealed class Arm64Tests : EndToEndTest
{
    private const string MadeBy = "tests/e2e/setup arm64";

    [Fact]
    public async Task Version_UnderQemu_PrintsIt()
    {
        var (exitCode, printed) = await RunAsync("version");

        Assert.Equal(0, exitCode);
        Assert.Contains("genkit-sidecar ", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Actions_UnderQemu_PrintsEveryKey()
    {
        var address = await StartApplicationAsync();

        var (exitCode, printed) = await RunAsync("actions", "--app", $"http://{address}");

        Assert.Equal(0, exitCode);
        Assert.All(
            ["/flow/chat", "/flow/countdown", "/flow/fail", "/flow/greet", "/flow/slow"],
            key => Assert.Contains(key, printed, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_StreamingFlowUnderQemu_PrintsTheChunksAndThenTheResult()
    {
        var address = await StartApplicationAsync();

        var (exitCode, printed) = await RunAsync("call", "/flow/countdown", """{"from": 2}""", "--stream", "--app", $"http://{address}");

        Assert.Equal(0, exitCode);
        Assert.Matches("""(?s)"count": ?2.*"count": ?1.*Liftoff!""", printed);
    }

    private async Task<(int ExitCode, string Printed)> RunAsync(params IEnumerable<string> arguments)
    {
        var sidecar = Repository.Require("artifacts/arm64/genkit-sidecar/genkit-sidecar", MadeBy);
        var command = Workspace.Start(["qemu-aarch64-static", "-L", Path.Combine(Repository.Root, "artifacts/arm64/root"), sidecar, .. arguments]);
        return (await command.ExitAsync(), $"{command.Output}");
    }

    private async Task<string> StartApplicationAsync()
    {
        string address;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            address = $"{listener.LocalEndpoint}";
        }

        var application = Workspace.Start(
            HelloApplication.In("python").Command, new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = address });
        await application.Output.FirstAsync(line => line == $"hello-python listens on {address}", "its address");
        return address;
    }
}
