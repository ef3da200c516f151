using Genkit.Sidecar.Actions;

namespace Genkit.Sidecar.Application;

/// <summary>What the application answered, or why it did not.</summary>
/// <param name="Value">The answer; null where there is a failure.</param>
/// <param name="Failure">The failure; null where there is an answer.</param>
internal readonly record struct Answer<T>(T? Value, ActionFailure? Failure)
    where T : class
{
    public static implicit operator Answer<T>(T value) => new(value, null);

    public static implicit operator Answer<T>(ActionFailure failure) => new(null, failure);
}
