namespace Genkit.Sidecar.Conformance.Running;

/// <summary>What is tested does not start, at first or any more.</summary>
internal sealed class StartFailure(string message) : Exception(message);
