namespace Genkit.Sidecar.Doctor;

/// <summary>One step of the path, examined.</summary>
/// <param name="Name">One of <see cref="StepName"/>.</param>
/// <param name="Tried">What was tried, for people.</param>
/// <param name="Finding">What came of it.</param>
/// <param name="Took">How long that took; zero if it was skipped.</param>
internal sealed record Step(string Name, string Tried, Finding Finding, TimeSpan Took);
