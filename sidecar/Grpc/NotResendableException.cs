namespace Genkit.Sidecar.Grpc;

/// <summary>The peer gave the request back unprocessed, and it is a stream of which the beginning is gone.</summary>
internal sealed class NotResendableException() : IOException("the peer refused the stream before processing it, and a streamed request cannot be sent twice");
