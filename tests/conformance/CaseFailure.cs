namespace Genkit.Sidecar.Conformance;

/// <summary>Ends a case: what was there and what should have been, for people.</summary>
internal sealed class CaseFailure(string message) : Exception(message);
