using System.Diagnostics.CodeAnalysis;

namespace Genkit.Sidecar.Otlp;

/// <summary>Lets few requests be in memory at a time, over whatever protocol they come; the others wait in their sockets.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore that no wait handle was asked of holds nothing, and a slow request may outlive its listener.")]
internal sealed class OtlpTurns
{
    private const int AtATime = 4;

    private readonly SemaphoreSlim _free = new(AtATime);

    /// <summary>Waits for a turn, which ends when it is disposed of.</summary>
    /// <exception cref="OperationCanceledException">The caller is gone.</exception>
    public async Task<Turn> WaitAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new Turn(_free);
    }

    internal readonly struct Turn(SemaphoreSlim free) : IDisposable
    {
        public void Dispose() => free.Release();
    }
}
