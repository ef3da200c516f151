using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Benchmarks.Micro;

/// <summary>The sidecar's side of a run, without a manager.</summary>
internal sealed class LoopbackCaller(string address) : IAsyncDisposable
{
    private const string TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private readonly GrpcApplication _application = new(ApplicationChannel.Options(Settings(address), TimeProvider.System), NullLogger<GrpcApplication>.Instance);

    /// <summary>Runs an action to its end.</summary>
    /// <returns>How many bytes its chunks and its result have.</returns>
    /// <exception cref="InvalidOperationException">The run failed.</exception>
    public async Task<long> RunAsync(string key, ReadOnlyMemory<byte> input)
    {
        var request = new RunRequest(key) { Input = new ReadOnlySequence<byte>(input), Stream = true };
        await using var run = _application.StartRun(request, TraceParent, "", CancellationToken.None);
        long received = 0;
        while (await run.ReadAsync(CancellationToken.None) is { } message)
        {
            using (message)
            {
                received += message.Update.Payload?.Length ?? 0;
            }
        }

        return run.Failure is { } failure ? throw new InvalidOperationException(failure.Message) : received;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static SidecarSettings Settings(string address) =>
        SettingsReader.Read(new Dictionary<string, IReadOnlyList<string>> { ["app"] = [address] }, new Dictionary<string, string>(), needsDoor: false).Settings!;
}
