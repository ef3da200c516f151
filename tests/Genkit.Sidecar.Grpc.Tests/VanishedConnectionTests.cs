using System.Diagnostics;
using System.Net.NetworkInformation;
using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>Packets of an established connection are dropped without FIN or RST, while a new connection can be established at once.</summary>
public sealed class VanishedConnectionTests
{
    // Set in the process that runs in its own network namespace. Names the theory's row that the process runs.
    private const string OwnNetwork = "WIRE_OWN_NETWORK";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Tier", "All")]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    [InlineData(PeerKind.Go)]
    public async Task Connection_PacketsVanish_CallFailsWithin15SecondsAndTheNextDials(PeerKind kind)
    {
        switch (Environment.GetEnvironmentVariable(OwnNetwork))
        {
            case null:
                await RunInOwnNetworkAsync(kind, nameof(Connection_PacketsVanish_CallFailsWithin15SecondsAndTheNextDials));
                return;
            case var row when row != $"{kind}":
                return;
            default:
                break;
        }

        await using var peer = await Peer.StartAsync(kind, Token);
        var options = peer.Options(Transport.Tcp);
        using var wire = new WireChannel(options);
        await using var call = await wire.StartAsync("Wait", new Plan { Key = "vanished" });
        Assert.True(await call.NextAsync());

        await VanishAsync(options.Target.Address.Port);
        var clock = Stopwatch.StartNew();
        Assert.False(await call.NextAsync());

        Assert.Equal(StatusCode.Unavailable, call.Status!.Code);
        Assert.Equal(ConnectFailure.None, call.Status.ConnectFailure);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        Assert.Equal(StatusCode.OK, (await wire.UnaryAsync("Echo", new Message())).Status.Code);
    }

    private static async Task VanishAsync(int port)
    {
        var connections = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections();
        var client = connections.Single(c => c.RemoteEndPoint.Port == port && c.State == TcpState.Established).LocalEndPoint.Port;
        await Tools.RunAsync("/usr/sbin/iptables", ["-A", "INPUT", "-p", "tcp", "--sport", $"{client}", "-j", "DROP"], Token);
        await Tools.RunAsync("/usr/sbin/iptables", ["-A", "INPUT", "-p", "tcp", "--dport", $"{client}", "-j", "DROP"], Token);
    }

    private static async Task RunInOwnNetworkAsync(PeerKind kind, string method)
    {
        var self = Path.Combine(AppContext.BaseDirectory, "Genkit.Sidecar.Grpc.Tests");
        var start = new ProcessStartInfo(
            Path.Combine(Tools.Repository, "tests", "e2e", "own-network"), [self, "-noColor", "-method", $"{typeof(VanishedConnectionTests).FullName}.{method}"])
        {
            RedirectStandardOutput = true,
            Environment = { [OwnNetwork] = $"{kind}" },
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.True(process.ExitCode == 0, output);
    }
}
