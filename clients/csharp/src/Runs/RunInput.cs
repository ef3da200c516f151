using System.Runtime.CompilerServices;

namespace Genkit.Sidecar.Client;

/// <summary>The input of a run.</summary>
/// <param name="Json">The input, or the input in the start of a run with streamed input. May be absent.</param>
/// <param name="Chunks">Streamed input, or null if the call has none.</param>
/// <param name="What">Name of the input in error messages.</param>
internal sealed record RunInput(RawJson Json, IAsyncEnumerable<RawJson>? Chunks, string What)
{
    /// <summary>Returns the typed chunks. If the run has no streamed input, its input is the only chunk.</summary>
    /// <param name="reader">Reads one chunk.</param>
    /// <param name="run">Cancels the wait for the next chunk when the run is cancelled.</param>
    /// <param name="cancellationToken">Cancels the wait for the next chunk. Set by the enumerating code.</param>
    /// <exception cref="InputError">A chunk does not match the type.</exception>
    public async IAsyncEnumerable<T> ReadChunksAsync<T>(InputReader<T> reader, CancellationToken run, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Chunks is null)
        {
            if (!Json.IsAbsent)
            {
                yield return reader.Read(Json, What);
            }

            yield break;
        }

        var count = 0;
        using var either = cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(run, cancellationToken) : null;
        await foreach (var chunk in Chunks.WithCancellation(either?.Token ?? run).ConfigureAwait(false))
        {
            yield return reader.Read(chunk, $"input chunk {++count}");
        }
    }
}
