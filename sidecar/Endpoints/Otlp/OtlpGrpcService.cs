using System.Buffers;
using Genkit.Sidecar.Otlp;
using global::Grpc.Core;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>OTLP over gRPC: <c>Export</c> of the collector's services.</summary>
internal sealed class OtlpGrpcService(OtlpHandler handler)
{
    /// <summary>Takes one request and gives the <c>Export…ServiceResponse</c> of its signal.</summary>
    /// <exception cref="RpcException">The request was refused.</exception>
    public Task<byte[]> ExportAsync(OtlpSignal signal, byte[] request)
    {
        var reply = handler(signal, OtlpEncoding.Protobuf, new ReadOnlySequence<byte>(request));
        return reply.Verdict switch
        {
            OtlpVerdict.Malformed => throw new RpcException(new Status(StatusCode.InvalidArgument, reply.Problem)),
            OtlpVerdict.Overloaded => throw new RpcException(new Status(StatusCode.Unavailable, reply.Problem)),
            _ => Task.FromResult(OtlpResponse.Accepted(signal, OtlpEncoding.Protobuf, reply)),
        };
    }
}
