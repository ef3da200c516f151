using System.Buffers;
using System.Collections.ObjectModel;

namespace Genkit.Sidecar.Telemetry;

/// <summary>What a root span tells of a run from its start. Payloads are JSON, read before the span's maker returns; null where there is none.</summary>
internal readonly record struct RootSpanStart(TraceContext Trace, string Key)
{
    public ReadOnlySequence<byte>? Input { get; init; }

    public ReadOnlySequence<byte>? Init { get; init; }

    public ReadOnlySequence<byte>? Context { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = ReadOnlyDictionary<string, string>.Empty;
}
