using System.Collections.Concurrent;

[assembly: AssemblyFixture(typeof(Genkit.Sidecar.GrpcClient.Tests.Peers.PeerServers))]

namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

/// <summary>One process of each kind for the whole test run, started by the first test that needs it.</summary>
public sealed class PeerServers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<PeerKind, Lazy<Task<Peer>>> _peers = new();

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers.Values)
        {
            await (await peer.Value).DisposeAsync();
        }
    }

    // Does not use the test's token, because other tests wait for the same process.
    internal Task<Peer> GetAsync(PeerKind kind) =>
        _peers.GetOrAdd(kind, static k => new Lazy<Task<Peer>>(() => Peer.StartAsync(k, CancellationToken.None).WaitAsync(Timeouts.Default))).Value;

    internal async Task<WireChannel> ChannelAsync(PeerKind kind, Transport transport) => new((await GetAsync(kind)).Options(transport));
}
