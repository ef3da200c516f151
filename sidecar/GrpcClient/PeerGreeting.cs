using System.Text;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>Judges the first bytes that a peer sends where HTTP/2 is expected. An HTTP/2 server starts with a SETTINGS frame; whatever else comes tells what the peer is.</summary>
/// <remarks>One per connection, told by the one loop that reads it.</remarks>
internal sealed class PeerGreeting(GrpcTarget target, Connections connections)
{
    // A frame starts with three bytes of length and one of type.
    private const int FrameTypeOffset = 3;
    private const byte SettingsFrame = 4;

    // Enough of a foreign protocol to be recognised by a person, and no more than the handler's first read asks for.
    private const int MaxQuoted = 16;

    private readonly byte[] _seen = new byte[MaxQuoted];
    private int _count;
    private volatile bool _isOver;
    private ConnectException? _failure;

    /// <summary>
    /// Whether the peer has proven to speak HTTP/2. While it has not, and for good when it does not, failing writes are swallowed: what reading found is told first.
    /// </summary>
    public bool IsOver => _isOver;

    /// <exception cref="ConnectException">The peer does not speak HTTP/2.</exception>
    public void Received(ReadOnlySpan<byte> bytes)
    {
        var taken = Math.Min(bytes.Length, MaxQuoted - _count);
        bytes[..taken].CopyTo(_seen.AsSpan(_count));
        _count += taken;

        // No SETTINGS frame is longer than 65,535 bytes, so the first byte already rules everything else out.
        var isSettingsSoFar = _seen[0] == 0 && (_count <= FrameTypeOffset || _seen[FrameTypeOffset] == SettingsFrame);
        if (isSettingsSoFar && _count <= FrameTypeOffset)
        {
            return;
        }

        if (!isSettingsSoFar)
        {
            throw Failed(Foreign());
        }

        _isOver = true;
    }

    /// <summary>The peer closed the connection, or reading from it failed, before it had greeted.</summary>
    public ConnectException Closed(Exception? cause)
    {
        if (_count > 0)
        {
            return Failed(Foreign());
        }

        return Failed(target.IsTls
            ? new ConnectException(
                ConnectFailure.TlsFailed,
                $"{target} closed the connection right after the TLS handshake{Because(cause)}: it may want another client certificate",
                cause)
            : new ConnectException(
                ConnectFailure.Closed,
                target.SocketPath is null
                    ? $"{target} closed the connection without a word of HTTP/2: it may speak TLS (https://), or not be a gRPC server"
                    : $"{target} closed the connection without a word of HTTP/2: it may not be a gRPC server",
                cause));
    }

    private ConnectException Failed(ConnectException exception)
    {
        if (_failure is null)
        {
            _failure = exception;
            connections.Failed(exception);
        }

        return _failure;
    }

    private static string Because(Exception? cause)
    {
        var message = cause?.GetBaseException().Message;
        return message is null ? "" : $" ({message.TrimEnd('.')})";
    }

    private ConnectException Foreign()
    {
        var seen = _seen.AsSpan(0, _count);
        if (TlsRecord.IsStartOf(seen))
        {
            return new ConnectException(ConnectFailure.PlaintextToTlsPeer, $"{target} speaks TLS: use https://");
        }

        // Some HTTP/1 servers answer what they do not understand with a bare page and no status line.
        if (seen.StartsWith("HTTP/"u8) || seen[0] == (byte)'<')
        {
            return new ConnectException(
                ConnectFailure.NotHttp2,
                target.IsTls
                    ? $"{target} answered with HTTP/1, gRPC needs HTTP/2: is this the gRPC port?"
                    : $"{target} answered with HTTP/1, gRPC needs HTTP/2 without TLS (h2c): is this the gRPC port?");
        }

        return new ConnectException(ConnectFailure.NotHttp2, $"{target} does not speak HTTP/2, it answered with {QuotedText(seen)}: is this the gRPC port?");
    }

    private static string QuotedText(ReadOnlySpan<byte> bytes)
    {
        var line = bytes.IndexOfAny((byte)'\r', (byte)'\n') is >= 0 and var end ? bytes[..end] : bytes;
        return line.Length > 0 && !line.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? $"'{Encoding.ASCII.GetString(line)}'"
            : $"the bytes {Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, 8)])}";
    }
}
