using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.GrpcClient.Tests.Raw;

/// <summary>A <see cref="ClientChannel"/> whose calls carry bytes, with the sidecar's handling of connections and failures.</summary>
internal sealed class RawChannel(ClientChannelOptions options) : IDisposable
{
    private readonly ClientChannel _channel = new(options, NullLogger.Instance);

    public event Action? ConnectionEstablished
    {
        add => _channel.ConnectionEstablished += value;
        remove => _channel.ConnectionEstablished -= value;
    }

    /// <summary>Starts a call with its first message.</summary>
    /// <param name="path">The method's path, such as <c>/package.Service/Method</c>.</param>
    /// <param name="callOptions">The call's headers and deadline.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public RawCall StartCall(string path, RawCallOptions callOptions, CancellationToken cancellationToken) => new(_channel, path, callOptions, cancellationToken);

    public async Task<RawResult> UnaryAsync(string path, byte[] message, RawCallOptions callOptions, CancellationToken cancellationToken)
    {
        using var scope = _channel.BeginCall(callOptions.Deadline);
        using var call = _channel.Calls.AsyncUnaryCall(RawMethod.Create(MethodType.Unary, path), host: null, callOptions.With(scope, cancellationToken), message);
        try
        {
            var response = await call.ResponseAsync;
            return new RawResult(CallStatus.OK, response, await call.ResponseHeadersAsync, call.GetTrailers());
        }
        catch (RpcException exception)
        {
            return new RawResult(scope.StatusOf(exception), [], Metadata.Empty, exception.Trailers);
        }
    }

    public void Dispose() => _channel.Dispose();
}
