using System.Buffers;
using System.Collections;

namespace Genkit.Sidecar.Grpc;

/// <summary>Metadata of a call: text entries, and entries whose name ends in <c>-bin</c> and whose value is bytes. Names may repeat; order is kept.</summary>
/// <remarks>Enumerating gives the bytes of a <c>-bin</c> entry as base64. Not safe for use by several threads while it is being changed.</remarks>
public sealed class GrpcMetadata : IEnumerable<KeyValuePair<string, string>>
{
    private const string BinarySuffix = "-bin";

    private static readonly SearchValues<char> s_nameCharacters = SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz-_.");

    // What this layer or HTTP/2 itself says; a second voice would contradict it.
    private static readonly HashSet<string> s_reserved = new(StringComparer.Ordinal)
    {
        "connection", "content-length", "content-type", "grpc-accept-encoding", "grpc-encoding", "grpc-message", "grpc-status",
        "grpc-status-details-bin", "grpc-timeout", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "user-agent",
    };

    private readonly List<KeyValuePair<string, string>> _entries = [];

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    internal static GrpcMetadata Empty => new();

    /// <summary>Adds a text entry.</summary>
    /// <param name="name">Letters, digits, '-', '_' and '.'; lower-cased. Not ending in <c>-bin</c>, and not one of the names that gRPC uses itself.</param>
    /// <param name="value">Printable ASCII; white space around it is dropped, as HTTP/2 does not carry it.</param>
    /// <exception cref="ArgumentException">The name or the value is not allowed. The message names the entry and never the value.</exception>
    public void Add(string name, string value)
    {
        name = CheckedName(name);
        ArgumentNullException.ThrowIfNull(value);
        if (name.EndsWith(BinarySuffix, StringComparison.Ordinal))
        {
            throw new ArgumentException($"the metadata entry '{name}' ends in -bin, so its value must be bytes", nameof(name));
        }

        value = value.Trim(' ');
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new ArgumentException($"the value of the metadata entry '{name}' has a character outside printable ASCII; an entry whose name ends in -bin may hold any bytes", nameof(value));
        }

        _entries.Add(new(name, value));
    }

    /// <summary>Adds an entry of bytes.</summary>
    /// <param name="name">As for text, but ending in <c>-bin</c>.</param>
    /// <param name="value">Any bytes; they are copied.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    public void Add(string name, ReadOnlySpan<byte> value)
    {
        name = CheckedName(name);
        if (!name.EndsWith(BinarySuffix, StringComparison.Ordinal))
        {
            throw new ArgumentException($"the metadata entry '{name}' does not end in -bin, so its value must be text", nameof(name));
        }

        _entries.Add(new(name, BinaryHeader.Encode(value)));
    }

    /// <inheritdoc cref="Add(string, ReadOnlySpan{byte})"/>
    public void Add(string name, byte[] value) => Add(name, (ReadOnlySpan<byte>)value);

    /// <summary>The value of the last text entry of this name, null when there is none.</summary>
    public string? Get(string name)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            if (_entries[i].Key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return _entries[i].Value;
            }
        }

        return null;
    }

    /// <summary>The bytes of the last entry of this name, null when there is none or it is not base64.</summary>
    public byte[]? GetBytes(string name) => Get(name) is { } text ? BinaryHeader.Decode(text) : null;

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Takes what a peer sent as it is: its mistakes are not this side's exceptions.</summary>
    internal void AddReceived(string name, string value)
    {
        name = name.ToLowerInvariant();
        if (name.EndsWith(BinarySuffix, StringComparison.Ordinal) && value.Contains(','))
        {
            // Several values of one name may come joined; base64 has no comma.
            foreach (var part in value.Split(',', StringSplitOptions.TrimEntries))
            {
                _entries.Add(new(name, part));
            }
        }
        else
        {
            _entries.Add(new(name, value));
        }
    }

    private static string CheckedName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        name = name.ToLowerInvariant();
        if (name.AsSpan().ContainsAnyExcept(s_nameCharacters))
        {
            throw new ArgumentException($"the metadata name '{name}' has a character other than letters, digits, '-', '_' and '.'", nameof(name));
        }

        if (s_reserved.Contains(name))
        {
            throw new ArgumentException($"the metadata name '{name}' is used by gRPC itself", nameof(name));
        }

        return name;
    }
}
