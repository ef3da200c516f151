using System.Collections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Genkit.Sidecar.Cli;

/// <summary>
/// A log line for programs: the JSON console formatter's, with the event's name as <c>State.EventName</c>. That formatter
/// writes only the event's number.
/// </summary>
/// <param name="services">Provides the JSON console formatter.</param>
internal sealed class JsonLogLine(IServiceProvider services) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "genkit-sidecar-json";

    // Resolved on the first write: this object is one of the formatters, which are resolved together.
    private readonly Lazy<ConsoleFormatter> _json = new(() =>
        services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == ConsoleFormatterNames.Json));

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var state = new NamedState(message, logEntry.EventId.Name, logEntry.State as IReadOnlyList<KeyValuePair<string, object?>> ?? []);
        LogEntry<NamedState> named = new(
            logEntry.LogLevel, logEntry.Category, logEntry.EventId, state, logEntry.Exception, static (state, _) => state.ToString());
        _json.Value.Write(named, scopeProvider, textWriter);
    }

    private sealed class NamedState(string message, string? eventName, IReadOnlyList<KeyValuePair<string, object?>> values)
        : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => values.Count + 1;

        public KeyValuePair<string, object?> this[int index] => index == 0 ? new("EventName", eventName) : values[index - 1];

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => values.Prepend(this[0]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => message;
    }
}
