namespace Genkit.Sidecar.Sockets;

internal enum SocketFileState
{
    Free,
    StaleRemoved,
}
