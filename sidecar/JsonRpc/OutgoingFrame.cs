using System.Buffers;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>
/// A frame about to be sent: text around at most one payload, which is spliced in where it stands instead of being copied.
/// Reused for one frame after the other by the socket's only writer.
/// </summary>
internal sealed class OutgoingFrame
{
    /// <summary>Text around a payload is short. What one long error needed is not kept for the session.</summary>
    private const int KeptBytes = 64 * 1024;

    private ArrayBufferWriter<byte> _text = new(1024);
    private int _payloadAt;

    public IBufferWriter<byte> Text => _text;

    public ReadOnlySequence<byte> Payload { get; private set; }

    public ReadOnlyMemory<byte> Head => _text.WrittenMemory[.._payloadAt];

    public ReadOnlyMemory<byte> Tail => _text.WrittenMemory[_payloadAt..];

    public long Length => _text.WrittenCount + Payload.Length;

    public void Clear()
    {
        if (_text.Capacity > KeptBytes)
        {
            _text = new ArrayBufferWriter<byte>(1024);
        }

        _text.ResetWrittenCount();
        _payloadAt = 0;
        Payload = default;
    }

    /// <summary>Copies bytes of the frame, from an offset on, until the destination is full.</summary>
    public void CopyTo(long offset, Span<byte> destination)
    {
        var copied = Copy(_text.WrittenSpan[.._payloadAt], offset, destination);
        long start = _payloadAt;
        foreach (var segment in Payload)
        {
            copied += Copy(segment.Span, offset + copied - start, destination[copied..]);
            start += segment.Length;
        }

        Copy(_text.WrittenSpan[_payloadAt..], offset + copied - start, destination[copied..]);
    }

    public void Splice(in ReadOnlySequence<byte> payload)
    {
        _payloadAt = _text.WrittenCount;
        Payload = payload;
    }

    private static int Copy(ReadOnlySpan<byte> source, long offset, Span<byte> destination)
    {
        if (destination.IsEmpty || offset >= source.Length)
        {
            return 0;
        }

        var length = Math.Min(source.Length - (int)offset, destination.Length);
        source.Slice((int)offset, length).CopyTo(destination);
        return length;
    }
}
