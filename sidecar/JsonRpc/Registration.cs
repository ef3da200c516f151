namespace Genkit.Sidecar.JsonRpc;

/// <summary>What a runtime says of itself when it registers.</summary>
internal readonly record struct Registration(
    string RuntimeId,
    int ProcessId,
    string Name,
    string GenkitVersion,
    IReadOnlyList<string> Environments);
