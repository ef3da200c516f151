using System.Buffers;
using System.Text;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Application;

public class PayloadSequenceTests
{
    [Fact]
    public void Build_Nothing_IsEmpty()
    {
        var sequence = new PayloadSequence();
        sequence.Append(ReadOnlyMemory<byte>.Empty);

        Assert.True(sequence.Build().IsEmpty);
    }

    [Fact]
    public void Build_MemoryAndSequences_StringsThemTogetherUncopied()
    {
        var memory = "abc"u8.ToArray();
        var sequence = new PayloadSequence();
        sequence.Append(memory);
        sequence.Append(Sequences.At("defg"u8.ToArray(), 0, 2, 2));
        sequence.Append(ReadOnlySequence<byte>.Empty);

        var built = sequence.Build();

        Assert.Equal("abcdefg", Encoding.UTF8.GetString(built));
        Assert.Equal("cd", Encoding.UTF8.GetString(built.Slice(2, 2)));
        Assert.True(built.First.Equals(memory));
    }
}
