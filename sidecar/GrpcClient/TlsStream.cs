using System.Net.Security;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>A connection with TLS, whose first decrypted bytes are judged on their way to SocketsHttpHandler.</summary>
/// <remarks>Derived from SslStream, because the handler would start a second handshake over any other stream.</remarks>
internal sealed class TlsStream(Stream inner, Connection connection) : SslStream(inner, leaveInnerStreamOpen: false)
{
    // The handshake passes through the inner stream only.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        connection.ReadStarts();
        var read = base.ReadAsync(buffer, cancellationToken);
        return connection.Greeting.IsOver ? read : GreetingGate.ReadAsync(connection, read, buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var write = base.WriteAsync(buffer, cancellationToken);
        return connection.Greeting.IsOver ? write : GreetingGate.WriteAsync(write);
    }

    protected override void Dispose(bool disposing)
    {
        connection.Closed();
        base.Dispose(disposing);
    }

    public override ValueTask DisposeAsync()
    {
        connection.Closed();
        return base.DisposeAsync();
    }
}
