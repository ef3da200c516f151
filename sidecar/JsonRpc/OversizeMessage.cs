namespace Genkit.Sidecar.JsonRpc;

/// <summary>What is known of a message that is over the limit.</summary>
/// <param name="Length">Bytes that came.</param>
/// <param name="Id">Its id, if it has one that is a string or a number.</param>
/// <param name="RequestId">The JSON token of the run that it wanted to feed, if any.</param>
internal sealed record OversizeMessage(long Length, RequestId? Id, RequestId? RequestId);
