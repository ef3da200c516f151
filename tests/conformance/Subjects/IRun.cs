namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>One run, seen from its caller. Throws <see cref="CaseFailure"/> for any violation of the contract.</summary>
internal interface IRun : IAsyncDisposable
{
    /// <summary>Waits for the next update. Must not be called after a result or an error, for which it has checked that nothing follows.</summary>
    Task<Update> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Sends a chunk of input. Does nothing if the run has ended.</summary>
    Task SendAsync(byte[] chunk, CancellationToken cancellationToken);

    Task EndInputAsync(CancellationToken cancellationToken);

    /// <summary>Cancels the run, which then reports an error with code 1.</summary>
    Task CancelAsync(CancellationToken cancellationToken);
}
