namespace Genkit.Sidecar.GrpcClient;

/// <summary>A message decompresses to more bytes than the channel accepts.</summary>
internal sealed class MessageTooLargeException() : IOException("the message decompresses to more bytes than are accepted");
