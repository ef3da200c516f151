using System.Buffers;

namespace Genkit.Sidecar.Application;

/// <summary>A copy of a payload, which whoever takes it over disposes of once.</summary>
internal sealed class PayloadBuffer : IDisposable
{
    /// <summary>A larger array is not pooled, because the pool would keep it for minutes.</summary>
    public const int LargestPooled = 1024 * 1024;

    private byte[]? _rented;

    public PayloadBuffer(in ReadOnlySequence<byte> payload)
    {
        var length = checked((int)payload.Length);
        var array = length <= LargestPooled ? _rented = ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);
        payload.CopyTo(array);
        Bytes = new ReadOnlySequence<byte>(array, 0, length);
    }

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
