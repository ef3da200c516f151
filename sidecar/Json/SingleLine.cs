using System.Buffers;
using System.IO.Pipelines;

namespace Genkit.Sidecar.Json;

/// <summary>
/// Writes JSON where a line break would end a frame: lines of NDJSON, fields of server-sent events. In one JSON value a CR or LF
/// stands between tokens only, since strings hold them escaped, and there a space means the same.
/// </summary>
internal static class SingleLine
{
    /// <summary>More than this is not left in the pipe's own buffers: a reader that is slow makes the writer wait.</summary>
    private const int UnflushedBytes = 32 * 1024;

    /// <summary>
    /// Writes a value that has passed <see cref="JsonPayload"/>, each CR and LF as a space. The payload is read once, from where it lies into
    /// the pipe's memory. What is left unflushed at the end is less than 32 KiB of it.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled while the pipe's reader was waited for.</exception>
    public static async ValueTask WriteAsync(PipeWriter output, ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        var unflushed = 0;
        foreach (var segment in payload)
        {
            for (var rest = segment; rest.Length > 0;)
            {
                var count = Write(output, rest.Span);
                rest = rest[count..];
                unflushed += count;
                if (unflushed >= UnflushedBytes)
                {
                    await output.FlushAsync(cancellationToken);
                    unflushed = 0;
                }
            }
        }
    }

    private static int Write(PipeWriter output, ReadOnlySpan<byte> bytes)
    {
        // Asked for nothing, Kestrel gives nothing once the client has gone.
        var room = output.GetSpan(1);
        var count = Math.Min(Math.Min(room.Length, bytes.Length), UnflushedBytes);
        var written = room[..count];
        bytes[..count].Replace(written, (byte)'\n', (byte)' ');
        written.Replace((byte)'\r', (byte)' ');
        output.Advance(count);
        return count;
    }
}
