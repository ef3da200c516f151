using System.Net.Security;

namespace Genkit.Sidecar.Grpc;

/// <summary>A connection with TLS, whose first decrypted bytes are judged on their way to SocketsHttpHandler.</summary>
/// <remarks>Derived from SslStream, because the handler would start a second handshake over any other stream.</remarks>
internal sealed class TlsStream(Stream inner, PeerGreeting greeting) : SslStream(inner, leaveInnerStreamOpen: false)
{
    // The handshake passes through the inner stream only.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = base.ReadAsync(buffer, cancellationToken);
        return greeting.IsOver ? read : GreetingGate.ReadAsync(greeting, read, buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var write = base.WriteAsync(buffer, cancellationToken);
        return greeting.IsOver ? write : GreetingGate.WriteAsync(write);
    }

    protected override void Dispose(bool disposing)
    {
        greeting.Disposed();
        base.Dispose(disposing);
    }

    public override ValueTask DisposeAsync()
    {
        greeting.Disposed();
        return base.DisposeAsync();
    }
}
