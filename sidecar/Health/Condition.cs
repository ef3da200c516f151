namespace Genkit.Sidecar.Health;

/// <summary>One of the things that a probe depends on.</summary>
/// <param name="Name">What must hold.</param>
/// <param name="Holds">Whether it does.</param>
/// <param name="Reason">Why, for people; of any length and shape.</param>
internal readonly record struct Condition(string Name, bool Holds, string Reason);
