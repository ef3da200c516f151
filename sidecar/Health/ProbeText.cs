namespace Genkit.Sidecar.Health;

/// <summary>The first line of an answer to a probe, which is all of it unless details were asked for.</summary>
internal static class ProbeText
{
    public const string Good = "ok\n";

    public const string Bad = "not ready\n";
}
