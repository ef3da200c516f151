using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>One event in the sidecar's log.</summary>
/// <param name="Level">Its level.</param>
/// <param name="Name">The name of its <see cref="EventId"/>; null for an event of a library that gives none.</param>
/// <param name="Text">The formatted message, followed by the exception if there is one.</param>
/// <param name="Values">The values of the message's placeholders, by name.</param>
internal sealed record LogEvent(LogLevel Level, string? Name, string Text, IReadOnlyList<KeyValuePair<string, object?>> Values)
{
    /// <summary>The value of a placeholder in the message, as text of the invariant culture.</summary>
    public string this[string placeholder] =>
        Convert.ToString(Values.Single(value => value.Key == placeholder).Value, CultureInfo.InvariantCulture) ?? "";

    public override string ToString() => $"{Level} {Name}: {Text}";
}
