using System.Buffers;
using System.Text;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.JsonRpc;

public class OutgoingFrameTests
{
    [Fact]
    public void Splice_Payload_StandsBetweenHeadAndTailUncopied()
    {
        var payload = Sequences.Every(2, "[1,2,3]"u8.ToArray());
        var frame = new OutgoingFrame();
        frame.Text.Write("head"u8);
        frame.Splice(payload);
        frame.Text.Write("tail"u8);

        Assert.Equal("head[1,2,3]tail", FrameText.Of(frame));
        Assert.True(frame.Payload.First.Equals(payload.First));
    }

    [Fact]
    public void Clear_UsedFrame_IsEmptyAgain()
    {
        var frame = new OutgoingFrame();
        frame.Text.Write("head"u8);
        frame.Splice(new ReadOnlySequence<byte>("1"u8.ToArray()));
        frame.Text.Write(new byte[100_000]);

        frame.Clear();

        Assert.Equal(0, frame.Length);
        Assert.True(frame.Payload.IsEmpty);
        frame.Text.Write("next"u8);
        Assert.Equal("next", FrameText.Of(frame));
        Assert.Equal(0, frame.Head.Length);
    }

    [Fact]
    public void CopyTo_EveryOffsetAndLength_CopiesThatPart()
    {
        var frame = new OutgoingFrame();
        frame.Text.Write("head"u8);
        frame.Splice(Sequences.Every(2, "[1,2,3]"u8.ToArray()));
        frame.Text.Write("tail"u8);
        const string Whole = "head[1,2,3]tail";
        for (var offset = 0; offset <= Whole.Length; offset++)
        {
            for (var length = 0; offset + length <= Whole.Length; length++)
            {
                var part = new byte[length];

                frame.CopyTo(offset, part);

                Assert.Equal(Whole.Substring(offset, length), Encoding.ASCII.GetString(part));
            }
        }
    }
}
