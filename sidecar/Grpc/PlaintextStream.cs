using System.Net.Sockets;

namespace Genkit.Sidecar.Grpc;

/// <summary>A connection without TLS, whose first bytes are judged on their way to SocketsHttpHandler.</summary>
internal sealed class PlaintextStream(Socket socket, PeerGreeting greeting) : NetworkStream(socket, ownsSocket: true)
{
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
