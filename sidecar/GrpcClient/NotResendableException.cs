namespace Genkit.Sidecar.GrpcClient;

/// <summary>The peer returned the request unprocessed, and it is a stream whose first messages are gone.</summary>
internal sealed class NotResendableException() : IOException("the peer refused the stream before processing it, and a streamed request cannot be sent twice");
