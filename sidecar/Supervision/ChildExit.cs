namespace Genkit.Sidecar.Supervision;

/// <summary>How the application ended, as a shell would tell it: 128 and the signal's number for one that a signal killed.</summary>
internal readonly record struct ChildExit(int Code);
