using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests.Raw;

/// <summary>The status of a unary call, and its message if it succeeded.</summary>
internal sealed record RawResult(CallStatus Status, byte[] Message, Metadata ResponseHeaders, Metadata Trailers);
