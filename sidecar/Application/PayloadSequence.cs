using System.Buffers;

namespace Genkit.Sidecar.Application;

/// <summary>Strings memory together without copying it.</summary>
internal sealed class PayloadSequence
{
    private Segment? _first;
    private Segment? _last;

    public void Append(ReadOnlyMemory<byte> memory)
    {
        if (memory.IsEmpty)
        {
            return;
        }

        _last = new Segment(memory, _last);
        _first ??= _last;
    }

    public void Append(in ReadOnlySequence<byte> sequence)
    {
        foreach (var memory in sequence)
        {
            Append(memory);
        }
    }

    public ReadOnlySequence<byte> Build() =>
        _first is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Memory.Length);

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
