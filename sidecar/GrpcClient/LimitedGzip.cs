using System.IO.Compression;
using Grpc.Net.Compression;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>gzip for received messages. grpc-dotnet checks the size of a message before it is decompressed only, so this bounds it afterwards too.</summary>
internal sealed class LimitedGzip(int maxMessageBytes) : ICompressionProvider
{
    public string EncodingName => "gzip";

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new GZipStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true);

    public Stream CreateDecompressionStream(Stream stream) => new LimitedStream(new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true), maxMessageBytes);
}
