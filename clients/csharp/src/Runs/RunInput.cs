using System.Runtime.CompilerServices;

namespace Genkit.Sidecar.Client;

/// <summary>What a run was given.</summary>
/// <param name="Json">The one input, or that of a streamed run's start; possibly absent.</param>
/// <param name="Chunks">Streamed input; null where the call has none.</param>
/// <param name="What">What to call the input.</param>
internal sealed record RunInput(RawJson Json, IAsyncEnumerable<RawJson>? Chunks, string What)
{
    /// <summary>The chunks, typed. Of a run without streamed input, its input is the only one.</summary>
    /// <param name="reader">Reads one.</param>
    /// <param name="run">Ends the wait for the next one, with the run.</param>
    /// <param name="cancellationToken">The same, from whoever enumerates.</param>
    /// <exception cref="InputError">A chunk is not what the reader takes.</exception>
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
