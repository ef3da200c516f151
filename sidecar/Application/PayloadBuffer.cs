using System.Buffers;

namespace Genkit.Sidecar.Application;

/// <summary>A copy of a payload. Its owner disposes of it once.</summary>
internal sealed class PayloadBuffer : IDisposable
{
    /// <summary>A larger array is not pooled, because the pool would keep it for minutes.</summary>
    public const int LargestPooled = 1024 * 1024;

    /// <summary>
    /// A smaller array is not pooled either. It is returned on another thread than it was rented on, which costs more in the pool than the collector takes for it.
    /// </summary>
    private const int SmallestPooled = 2 * 1024;

    private byte[]? _rented;

    public PayloadBuffer(in ReadOnlySequence<byte> payload)
    {
        var length = checked((int)payload.Length);
        var array = length is >= SmallestPooled and <= LargestPooled ? _rented = ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);
        payload.CopyTo(array);
        Bytes = new ReadOnlySequence<byte>(array, 0, length);
        Length = length;
    }

    /// <summary>Bytes of the payload, also once this is disposed of.</summary>
    public int Length { get; }

    /// <summary>The payload, in one piece. Not valid once this is disposed of.</summary>
    public ReadOnlySequence<byte> Bytes { get; private set; }

    public void Dispose()
    {
        Bytes = default;
        if (Interlocked.Exchange(ref _rented, null) is { } rented)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
