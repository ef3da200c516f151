namespace Genkit.Sidecar.Configuration;

internal enum LogFormat
{
    Text,
    Json,
}
