using System.Buffers;
using System.Collections.ObjectModel;

namespace Genkit.Sidecar.Actions;

/// <summary>
/// A run to start, from any endpoint. Payloads are slices of the buffer that <see cref="Owner"/> gives back;
/// null means that the caller left the member out.
/// </summary>
internal sealed record RunRequest(string Key)
{
    public ReadOnlySequence<byte>? Input { get; init; }

    public ReadOnlySequence<byte>? Init { get; init; }

    public ReadOnlySequence<byte>? Context { get; init; }

    public IReadOnlyDictionary<string, string> TelemetryLabels { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Whether the caller wants chunks.</summary>
    public bool Stream { get; init; }

    /// <summary>Whether the input comes in chunks, after this request.</summary>
    public bool StreamInput { get; init; }

    /// <summary>Owns the payloads' memory; disposed once they have been sent to the application for good.</summary>
    public IDisposable? Owner { get; init; }
}
