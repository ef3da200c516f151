using System.Buffers.Binary;

namespace Genkit.Sidecar.Grpc;

/// <summary>What stands before each message: one byte that says whether it is compressed, four of length.</summary>
internal static class MessagePrefix
{
    public const int Length = 5;

    public static void Write(Span<byte> destination, int messageLength, bool compressed)
    {
        destination[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)messageLength);
    }

    public static (byte Flag, uint MessageLength) Read(ReadOnlySpan<byte> source) => (source[0], BinaryPrimitives.ReadUInt32BigEndian(source[1..]));
}
