using System.Buffers;
using Genkit.Sidecar.Otlp;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>Takes one request. Called by several threads at a time; the bytes are valid until it returns.</summary>
internal delegate OtlpReply OtlpHandler(OtlpSignal signal, OtlpEncoding encoding, in ReadOnlySequence<byte> request);

/// <param name="Verdict">What is said of the request as a whole.</param>
/// <param name="Rejected">Items that were refused within an accepted request: a partial success.</param>
/// <param name="Problem">Why, worded for users and without payload; empty if there is nothing to say.</param>
internal readonly record struct OtlpReply(OtlpVerdict Verdict, long Rejected = 0, string Problem = "");

/// <summary>What is said of a request as a whole.</summary>
internal enum OtlpVerdict
{
    Accepted,

    /// <summary>It is not what it claims to be, or too large: sending it again is of no use.</summary>
    Malformed,

    /// <summary>There is no room for it now, and nothing of it was kept: it may be sent again.</summary>
    Overloaded,
}
