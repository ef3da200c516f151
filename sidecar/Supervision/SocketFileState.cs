namespace Genkit.Sidecar.Supervision;

internal enum SocketFileState
{
    Free,
    StaleRemoved,
}
