using System.Buffers;
using Google.Protobuf;

namespace Genkit.Sidecar.Grpc.Tests.Peers;

/// <summary>A channel to a peer that serves wire.proto, in the messages of that proto.</summary>
internal sealed class WireChannel(GrpcChannelOptions options) : IDisposable
{
    public GrpcChannel Channel { get; } = new(options);

    public static string Method(string name) => $"/wire.Wire/{name}";

    public static ReadOnlySequence<byte> Bytes(IMessage message) => new(message.ToByteArray());

    public GrpcCall Start(string name, GrpcCallOptions? options = null, CancellationToken? cancellationToken = null) =>
        Channel.StartCall(Method(name), options ?? GrpcCallOptions.Default, cancellationToken ?? TestContext.Current.CancellationToken);

    /// <summary>Starts a call with one request message.</summary>
    public async Task<GrpcCall> StartAsync(string name, IMessage request, GrpcCallOptions? options = null, CancellationToken? cancellationToken = null)
    {
        var call = Start(name, options, cancellationToken);
        await call.WriteAsync(Bytes(request), endOfStream: true, CancellationToken.None);
        return call;
    }

    public async Task<GrpcUnaryResult> UnaryAsync(string name, IMessage request, GrpcCallOptions? options = null) =>
        await Channel.UnaryAsync(Method(name), Bytes(request), options ?? GrpcCallOptions.Default, TestContext.Current.CancellationToken)
            .AsTask().WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

    public void Dispose() => Channel.Dispose();
}
