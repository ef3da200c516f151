namespace Genkit.Sidecar.Conformance;

/// <summary>The command line, or a file that it names, is invalid.</summary>
internal sealed class UsageException(string message) : Exception(message);
