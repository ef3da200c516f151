namespace Genkit.Sidecar.Conformance;

/// <summary>Fails a case. The message describes the actual and the expected value.</summary>
internal sealed class CaseFailure(string message) : Exception(message);
