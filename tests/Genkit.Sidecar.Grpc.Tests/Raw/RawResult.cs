using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests.Raw;

/// <summary>How a unary call ended, and its message if it succeeded.</summary>
internal sealed record RawResult(CallStatus Status, byte[] Message, Metadata ResponseHeaders, Metadata Trailers);
