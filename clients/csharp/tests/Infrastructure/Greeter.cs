namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>A service.</summary>
public sealed record Greeter(string Word);
