using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// Encodes text messages as frames of a WebSocket client (https://www.rfc-editor.org/rfc/rfc6455#section-5.2). .NET's own WebSocket asks OpenSSL for the masking
/// key of each frame, which takes longer than all else that a small frame needs.
/// </summary>
internal sealed class WebSocketFrameEncoder
{
    private const int MaskBytes = 4;
    private const byte Continuation = 0x0;
    private const byte Text = 0x1;
    private const byte Final = 0x80;
    private const byte Masked = 0x80;
    private const byte LengthIn16Bits = 126;
    private const byte LengthIn64Bits = 127;

    /// <summary>Keys for the next frames, from the system's random numbers, because the RFC requires that a key cannot be predicted.</summary>
    private readonly byte[] _keys = new byte[256 * MaskBytes];
    private int _usedKeyBytes = 256 * MaskBytes;

    /// <summary>Bytes of a frame before its payload.</summary>
    public static int HeaderBytes(int payloadBytes) =>
        2 + MaskBytes + payloadBytes switch
        {
            < LengthIn16Bits => 0,
            <= ushort.MaxValue => sizeof(ushort),
            _ => sizeof(ulong),
        };

    /// <summary>Writes the header in front of a payload, and masks the payload in place.</summary>
    /// <param name="frame">Room of <see cref="HeaderBytes"/>, and the payload.</param>
    /// <param name="payloadBytes">Length of the payload.</param>
    /// <param name="isFirst">Whether the frame begins a message.</param>
    /// <param name="isLast">Whether the frame ends a message.</param>
    public void Encode(Span<byte> frame, int payloadBytes, bool isFirst, bool isLast)
    {
        frame[0] = (byte)((isFirst ? Text : Continuation) | (isLast ? Final : 0));
        switch (payloadBytes)
        {
            case < LengthIn16Bits:
                frame[1] = (byte)(Masked | payloadBytes);
                break;
            case <= ushort.MaxValue:
                frame[1] = Masked | LengthIn16Bits;
                BinaryPrimitives.WriteUInt16BigEndian(frame[2..], (ushort)payloadBytes);
                break;
            default:
                frame[1] = Masked | LengthIn64Bits;
                BinaryPrimitives.WriteUInt64BigEndian(frame[2..], (ulong)payloadBytes);
                break;
        }

        var header = HeaderBytes(payloadBytes);
        var key = NextKey();
        key.CopyTo(frame[(header - MaskBytes)..]);
        Mask(frame.Slice(header, payloadBytes), key);
    }

    private static void Mask(Span<byte> payload, ReadOnlySpan<byte> key)
    {
        var vectors = MemoryMarshal.Cast<byte, Vector<byte>>(payload);
        if (!vectors.IsEmpty)
        {
            var wide = Vector.AsVectorByte(new Vector<uint>(MemoryMarshal.Read<uint>(key)));
            for (var i = 0; i < vectors.Length; i++)
            {
                vectors[i] ^= wide;
            }
        }

        // A vector has a multiple of four bytes, so the rest begins with the key's first byte.
        for (var i = vectors.Length * Vector<byte>.Count; i < payload.Length; i++)
        {
            payload[i] ^= key[i % MaskBytes];
        }
    }

    private ReadOnlySpan<byte> NextKey()
    {
        if (_usedKeyBytes == _keys.Length)
        {
            RandomNumberGenerator.Fill(_keys);
            _usedKeyBytes = 0;
        }

        var key = _keys.AsSpan(_usedKeyBytes, MaskBytes);
        _usedKeyBytes += MaskBytes;
        return key;
    }
}
