using System.Collections.Concurrent;
using Genkit.Sidecar.Grpc.Tests.Server;

[assembly: AssemblyFixture(typeof(Genkit.Sidecar.Grpc.Tests.Callers.CallerProcesses))]

namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>One process of each kind for the whole run, started by the first test that wants it.</summary>
public sealed class CallerProcesses : IAsyncDisposable
{
    private readonly ConcurrentDictionary<CallerKind, Lazy<CallerProcess>> _processes = new();

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values)
        {
            await process.Value.DisposeAsync();
        }
    }

    internal async Task<ICall> StartAsync(CallerKind kind, GrpcHost host, string method, CallPlan plan) =>
        kind == CallerKind.Own ? new OwnCall(GrpcTarget.Parse(host.Address), method, plan) : await Get(kind).StartAsync(host.Address, method, plan);

    internal CallerProcess Get(CallerKind kind) => _processes.GetOrAdd(kind, static k => new Lazy<CallerProcess>(() => new CallerProcess(k))).Value;
}
