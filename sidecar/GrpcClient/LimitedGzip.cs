using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Net.Compression;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>gzip for received messages. grpc-dotnet checks the size of a message before it is decompressed only, so this bounds it afterwards too.</summary>
internal sealed class LimitedGzip(int maxMessageBytes) : ICompressionProvider
{
    public string EncodingName => "gzip";

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new GZipStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true);

    /// <exception cref="InvalidDataException">The data is too short to be gzip.</exception>
    public Stream CreateDecompressionStream(Stream stream)
    {
        var length = stream.CanSeek ? LengthAtTheEnd(stream) : (uint?)null;
        return new LimitedStream(new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true), maxMessageBytes, length);
    }

    // GZipStream takes data that was cut short for its end. https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1, ISIZE
    private static uint LengthAtTheEnd(Stream stream)
    {
        const int Shortest = 18;
        Span<byte> length = stackalloc byte[sizeof(uint)];
        var start = stream.Position;
        if (stream.Length - start < Shortest)
        {
            throw new InvalidDataException("the message is too short to be gzip");
        }

        stream.Seek(-length.Length, SeekOrigin.End);
        stream.ReadExactly(length);
        stream.Position = start;
        return BinaryPrimitives.ReadUInt32LittleEndian(length);
    }
}
