using System.Text;
using System.Text.Json.Serialization;

namespace Genkit.Sidecar.Client;

/// <summary>
/// One complete JSON value in UTF-8 that is carried byte for byte, or none at all. As the type of an input it is what the caller sent, unparsed; as a result
/// or chunk it is sent as it is. Nothing looks whether it is JSON.
/// </summary>
/// <param name="utf8">The bytes, which nobody may change any more.</param>
[JsonConverter(typeof(RawJsonConverter))]
public readonly struct RawJson(ReadOnlyMemory<byte> utf8) : IEquatable<RawJson>
{
    /// <summary>No value, which is not the same as JSON's null: of an input that the caller did not give, of a result that an action does not have.</summary>
    public static RawJson Absent => default;

    /// <summary>The bytes; none where the value is absent.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; } = utf8;

    /// <summary>Whether there is no value.</summary>
    public bool IsAbsent => Utf8.IsEmpty;

    /// <summary>Makes a value of its text.</summary>
    public static RawJson FromText(string json) => new(Encoding.UTF8.GetBytes(json));

    /// <summary>Whether two values have the same bytes.</summary>
    public static bool operator ==(RawJson left, RawJson right) => left.Equals(right);

    /// <summary>Whether two values have other bytes.</summary>
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

    /// <summary>The text; empty where the value is absent.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);
}
