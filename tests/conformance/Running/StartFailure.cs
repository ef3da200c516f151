namespace Genkit.Sidecar.Conformance.Running;

/// <summary>What was to be tested did not start: no case was run.</summary>
internal sealed class StartFailure(string message) : Exception(message);
