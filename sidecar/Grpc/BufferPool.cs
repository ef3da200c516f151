using System.Buffers;

namespace Genkit.Sidecar.Grpc;

/// <summary>The pool of this library's buffers.</summary>
internal static class BufferPool
{
    /// <summary>Replaced by tests only, before anything rents, to see that each buffer comes back once and is not used afterwards.</summary>
    public static ArrayPool<byte> Shared { get; set; } = ArrayPool<byte>.Shared;
}
