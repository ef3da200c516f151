using System.Buffers;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Tests.Infrastructure;
using Google.Protobuf;

namespace Genkit.Sidecar.Tests.Application;

public class RunUpdateFuzzTests
{
    private static readonly byte[] s_interesting = [0x00, 0x01, 0x02, 0x05, 0x08, 0x0A, 0x12, 0x1A, 0x1B, 0x1C, 0x22, 0x7F, 0x80, 0x81, 0xFF];

    [Fact]
    public void Decode_BytesAtRandom_AgreesWithTheGeneratedParser()
    {
        var random = new Random(20261126);
        var accepted = 0;
        for (var round = 0; round < 100_000; round++)
        {
            var message = random.Next(3) switch
            {
                0 => Noise(random, random.Next(12)),
                1 => Fields(random),
                _ => Flipped(random, Fields(random)),
            };
            accepted += AssertDecodersAgree(random, message) ? 1 : 0;
        }

        Assert.InRange(accepted, 20_000, 95_000);
    }

    private static bool AssertDecodersAgree(Random random, byte[] message)
    {
        var bytes = Sequences.Randomly(random, message, 4);
        V1.RunActionResponse? expected = null;
        try
        {
            expected = V1.RunActionResponse.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException)
        {
            Assert.Throws<InvalidProtocolBufferException>(() => RunUpdate.Decode(bytes));
            return false;
        }

        var update = RunUpdate.Decode(bytes);
        Assert.Equal((RunUpdateKind)expected.UpdateCase, update.Kind);
        switch (expected.UpdateCase)
        {
            case V1.RunActionResponse.UpdateOneofCase.ChunkJson:
                Assert.Equal(expected.ChunkJson.ToByteArray(), update.Payload!.Value.ToArray());
                break;
            case V1.RunActionResponse.UpdateOneofCase.Result when expected.Result.HasResultJson:
                Assert.Equal(expected.Result.ResultJson.ToByteArray(), update.Payload!.Value.ToArray());
                break;
            default:
                Assert.Null(update.Payload);
                Assert.Equal(expected.Error?.Message, update.Failure?.Message);
                break;
        }

        return true;
    }

    private static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
        {
            bytes[i] = s_interesting[random.Next(s_interesting.Length)];
        }

        return bytes;
    }

    private static byte[] Fields(Random random)
    {
        var message = new List<byte>();
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            var payload = ByteString.CopyFrom(Noise(random, random.Next(4)));
            var field = random.Next(6) switch
            {
                0 => new V1.RunActionResponse { State = new V1.ActionState { TraceId = "t" } },
                1 => new V1.RunActionResponse { Result = new V1.ActionResult() },
                2 => new V1.RunActionResponse { Result = new V1.ActionResult { ResultJson = payload } },
                3 => new V1.RunActionResponse { Error = new V1.ActionError { Code = random.Next(20), Message = "m", DetailsJson = payload } },
                _ => new V1.RunActionResponse { ChunkJson = payload },
            };
            message.AddRange(field.ToByteArray());
        }

        return [.. message];
    }

    private static byte[] Flipped(Random random, byte[] message)
    {
        message[random.Next(message.Length)] = s_interesting[random.Next(s_interesting.Length)];
        return message[..random.Next(message.Length / 2, message.Length + 1)];
    }
}
