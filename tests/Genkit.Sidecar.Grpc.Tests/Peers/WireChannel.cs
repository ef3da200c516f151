using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Google.Protobuf;

namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

/// <summary>A channel to a peer that serves wire.proto, in the messages of that proto.</summary>
internal sealed class WireChannel(ClientChannelOptions options) : IDisposable
{
    private readonly RawChannel _channel = new(options);

    public event Action? ConnectionEstablished
    {
        add => _channel.ConnectionEstablished += value;
        remove => _channel.ConnectionEstablished -= value;
    }

    public RawCall Start(string name, RawCallOptions? options = null, CancellationToken? cancellationToken = null) =>
        _channel.StartCall(Path(name), options ?? RawCallOptions.Default, cancellationToken ?? TestContext.Current.CancellationToken);

    /// <summary>Starts a call with one request message.</summary>
    public async Task<RawCall> StartAsync(string name, IMessage request, RawCallOptions? options = null, CancellationToken? cancellationToken = null)
    {
        var call = Start(name, options, cancellationToken);
        await call.WriteAsync(request.ToByteArray(), endOfStream: true, CancellationToken.None);
        return call;
    }

    public Task<RawResult> UnaryAsync(string name, IMessage request, RawCallOptions? options = null) =>
        _channel.UnaryAsync(Path(name), request.ToByteArray(), options ?? RawCallOptions.Default, TestContext.Current.CancellationToken)
            .WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

    public void Dispose() => _channel.Dispose();

    private static string Path(string name) => $"/wire.Wire/{name}";
}
