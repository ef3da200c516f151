namespace Genkit.Sidecar.Doctor;

/// <summary>The action that the user wants run, with its input in UTF-8, one JSON value; null for none.</summary>
internal sealed record ActionToRun(string Key, byte[]? Input);
