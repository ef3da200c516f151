namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>Asks the sidecar to stop as SIGTERM does: its command first, then runs, then itself. Returns at once.</summary>
internal delegate void Quit();
