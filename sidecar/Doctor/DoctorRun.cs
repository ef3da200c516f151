using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Doctor;

/// <summary>A run as an endpoint starts it. Only the outcome is kept.</summary>
internal sealed class DoctorRun(ActiveRuns runs)
{
    /// <summary>Bytes of the result; zero if there is none.</summary>
    public long ResultBytes { get; private set; }

    public int Chunks { get; private set; }

    /// <summary>Runs an action to its end and gives its failure, or null if it succeeded.</summary>
    public async Task<ActionFailure?> ExecuteAsync(string key, ReadOnlyMemory<byte>? input, CancellationToken cancellationToken)
    {
        var run = runs.Start(new RunRequest(key) { Input = input is { } json ? new ReadOnlySequence<byte>(json) : null, Stream = true });
        await using var cancelling = cancellationToken.Register(() => run.TryFail(ActionFailure.Cancelled));
        using var readable = new SemaphoreSlim(0);
        run.Outbox.Attach(() => readable.Release());
        while (true)
        {
            await readable.WaitAsync(CancellationToken.None);
            while (run.Outbox.TryRead(out var runEvent))
            {
                // Before the release, after which the payload's memory is the next message's.
                var bytes = runEvent.Length;
                runEvent.Release();
                switch (runEvent.Kind)
                {
                    case RunEventKind.Chunk:
                        Chunks++;
                        break;
                    case RunEventKind.Result:
                        ResultBytes = bytes;
                        return null;
                    case RunEventKind.Failure:
                        cancellationToken.ThrowIfCancellationRequested();
                        return runEvent.Failure;
                }
            }
        }
    }
}
