using System.Net.Sockets;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>A connection without TLS, whose first bytes are judged on their way to SocketsHttpHandler.</summary>
internal sealed class PlaintextStream(Socket socket, Connection connection) : NetworkStream(socket, ownsSocket: true)
{
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
