namespace Genkit.Sidecar.Tests.Infrastructure;

/// <param name="Scenario">The name of the recorded scenario.</param>
/// <param name="FromManager">Whether the manager sent it; else the runtime did.</param>
/// <param name="Text">The frame as it was sent.</param>
internal sealed record GoldenFrame(string Scenario, bool FromManager, string Text);
