namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>One run, seen from its caller. What the contract forbids whatever the case fails it: <see cref="CaseFailure"/>.</summary>
internal interface IRun : IAsyncDisposable
{
    /// <summary>Waits for the next thing that the run tells. Not to be called after a result or an error: those have seen to it that nothing follows.</summary>
    Task<Update> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Sends a chunk of input. Does nothing where the run is over.</summary>
    Task SendAsync(byte[] chunk, CancellationToken cancellationToken);

    Task EndInputAsync(CancellationToken cancellationToken);

    /// <summary>Cancels the run, which tells so in turn: an error with code 1.</summary>
    Task CancelAsync(CancellationToken cancellationToken);
}
