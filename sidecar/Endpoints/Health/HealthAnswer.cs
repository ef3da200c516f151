namespace Genkit.Sidecar.Endpoints.Health;

/// <summary>What a running sidecar said to a probe.</summary>
/// <param name="IsGood">Whether it answered 200.</param>
/// <param name="Text">Its lines, or why there are none.</param>
internal sealed record HealthAnswer(bool IsGood, string Text);
