using System.Buffers;
using System.IO.Pipelines;

namespace Genkit.Sidecar.Http;

/// <summary>A few bytes of a response's own making.</summary>
internal static class PipeText
{
    /// <summary>Writes them. <see cref="BuffersExtensions"/> throws on a client that has gone, for which Kestrel has no room unless it is asked for some.</summary>
    public static void Put(this PipeWriter output, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }
}
