using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// The traces that spans of the application belong to: those of active runs, and of runs that ended a while ago, for exporters send
/// spans in batches that come late. The oldest ended ones are forgotten when there are too many.
/// </summary>
internal sealed partial class KnownTraces(ILogger<KnownTraces> logger)
{
    /// <summary>Some 5 MiB. At a hundred runs a second a span may be a minute and a half late.</summary>
    public const int MaxEnded = 10_000;

    /// <summary>One is what the contract asks for; an application that names a new one again and again must not fill the memory.</summary>
    public const int MaxAliases = 8;

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdef");

    private readonly Lock _gate = new();

    /// <summary>By trace id and by alias.</summary>
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly Queue<Entry> _ended = new();

    /// <summary>A run starts.</summary>
    public void Begin(in TraceContext trace)
    {
        lock (_gate)
        {
            _entries[trace.TraceId] = new Entry(trace);
        }
    }

    /// <summary>A run has ended. Its trace stays known for now.</summary>
    public void End(string traceId)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(traceId, out var entry) || entry.HasEnded)
            {
                return;
            }

            entry.HasEnded = true;
            _ended.Enqueue(entry);
            if (_ended.Count > MaxEnded)
            {
                Forget(_ended.Dequeue());
            }
        }
    }

    /// <summary>Lets the spans of a trace that the application began by itself find a run. Refused if it may mislead those of another.</summary>
    /// <param name="traceId">Of the run.</param>
    /// <param name="alias">What the application says its trace id is.</param>
    public void AddAlias(string traceId, string alias)
    {
        if (alias == traceId)
        {
            return;
        }

        if (!IsTraceId(alias))
        {
            Log.BadAlias(logger, traceId, "it is not 32 lower-case hex digits, or all of them are 0");
            return;
        }

        lock (_gate)
        {
            if (!_entries.TryGetValue(traceId, out var entry) || entry.Aliases.Contains(alias))
            {
                return;
            }

            if (entry.Aliases.Count >= MaxAliases)
            {
                Log.BadAlias(logger, traceId, "the run has too many already");
            }
            else if (!_entries.TryAdd(alias, entry))
            {
                Log.BadAlias(logger, traceId, "it belongs to another run");
            }
            else
            {
                entry.Aliases.Add(alias);
            }
        }
    }

    /// <param name="traceId">A run's trace id or an alias of it.</param>
    /// <param name="trace">The run's trace and its root span.</param>
    public bool TryFind(string traceId, [NotNullWhen(true)] out TraceContext? trace)
    {
        lock (_gate)
        {
            trace = _entries.TryGetValue(traceId, out var entry) ? entry.Trace : null;
        }

        return trace is not null;
    }

    private static bool IsTraceId(string text) =>
        text.Length == 32 && !text.AsSpan().ContainsAnyExcept(s_digits) && text.AsSpan().ContainsAnyExcept('0');

    private void Forget(Entry entry)
    {
        _entries.Remove(entry.Trace.TraceId);
        foreach (var alias in entry.Aliases)
        {
            _entries.Remove(alias);
        }
    }

    private sealed class Entry(TraceContext trace)
    {
        public TraceContext Trace { get; } = trace;

        public List<string> Aliases { get; } = [];

        public bool HasEnded { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Run {TraceId}: the trace id in the application's ActionState is not used: {Problem}", EventName = "TraceAliasIgnored")]
        public static partial void BadAlias(ILogger logger, string traceId, string problem);
    }
}
