using System.Text;
using System.Text.Json.Serialization;

namespace Genkit.Sidecar.Client;

/// <summary>
/// One complete JSON value in UTF-8, or no value. The bytes are passed through unchanged and are not validated. As the type of an input, it holds the bytes that the
/// caller sent, unparsed. As a result or chunk, it is sent as is.
/// </summary>
/// <param name="utf8">The bytes. They must not change afterwards.</param>
[JsonConverter(typeof(RawJsonConverter))]
public readonly struct RawJson(ReadOnlyMemory<byte> utf8) : IEquatable<RawJson>
{
    /// <summary>The absence of a value, which differs from JSON's null: an input that the caller did not send, or a missing result.</summary>
    public static RawJson Absent => default;

    /// <summary>The bytes, which are empty if the value is absent.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; } = utf8;

    /// <summary>Whether the value is absent.</summary>
    public bool IsAbsent => Utf8.IsEmpty;

    /// <summary>Creates a value from JSON text.</summary>
    public static RawJson FromText(string json) => new(Encoding.UTF8.GetBytes(json));

    /// <summary>Whether two values have the same bytes.</summary>
    public static bool operator ==(RawJson left, RawJson right) => left.Equals(right);

    /// <summary>Whether two values have different bytes.</summary>
    public static bool operator !=(RawJson left, RawJson right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(RawJson other) => Utf8.Span.SequenceEqual(other.Utf8.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is RawJson other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Utf8.Span);
        return hash.ToHashCode();
    }

    /// <summary>Returns the JSON text, which is empty if the value is absent.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);
}
