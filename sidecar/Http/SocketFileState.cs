namespace Genkit.Sidecar.Http;

internal enum SocketFileState
{
    Free,
    StaleRemoved,
}
