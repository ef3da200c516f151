using System.Buffers;
using System.Text;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.JsonRpc;

public class JsonRpcReaderFuzzTests
{
    private static readonly string[] s_names =
    [
        "id", "method", "params", "result", "error", "jsonrpc", "key", "input", "init", "context", "stream", "streamInput", "type", "traceId",
        "requestId", "chunk", "telemetryLabels", "telemetryServerUrl", "runtimeId", "x", "", "\\u0069d", "i\\u0064", "p\\u0061rams", "id\\u0000", "\\\"id",
    ];

    private static readonly string[] s_scalars =
        ["null", "true", "false", "0", "-0", "1e400", "9007199254740993", "\"\"", "\"7\"", "\"\\\"}\"", "\"\\ud83d\\ude00\"", "\"é€😀\"", "{}", "[]", " [ 1 , { \"id\" : 2 } ] "];

    [Fact]
    public void Read_GoldenFramesMutated_NeverThrowsAndSlicesWholeValues()
    {
        var random = new Random(20261123);
        var frames = TestData.GoldenFrames.Where(frame => frame.FromManager).Select(frame => Encoding.UTF8.GetBytes(frame.Text)).ToArray();
        var read = 0;
        for (var round = 0; round < 100_000; round++)
        {
            var frame = Mutated(random, frames[random.Next(frames.Length)]);
            var bytes = random.Next(4) == 0 ? Sequences.Randomly(random, frame, 4) : new ReadOnlySequence<byte>(frame);
            if (JsonRpcReader.Read(bytes, out var message) is not null)
            {
                continue;
            }

            read++;
            AssertSlicesAreValues(message);
        }

        Assert.InRange(read, 10_000, 90_000);
    }

    [Fact]
    public void Read_FramesAtRandom_FindsWhatADocumentModelFinds()
    {
        var random = new Random(20261124);
        for (var round = 0; round < 30_000; round++)
        {
            var frame = Encoding.UTF8.GetBytes(Object(random, 0));
            var bytes = Sequences.Randomly(random, frame, 5);

            Assert.Null(JsonRpcReader.Read(bytes, out var message));
            ReadMessage.AssertEqualsDocument(bytes, message);
        }
    }

    private static void AssertSlicesAreValues(ReceivedMessage message)
    {
        foreach (var (name, slice) in MessageSlices.Of(message))
        {
            if (slice.IsPresent)
            {
                Assert.Null(JsonPayload.FindDefect(message.Bytes(slice), out var kind));
                Assert.True(kind == slice.Kind, name);
                _ = message.String(slice);
            }
        }

        if (message.Error.IsPresent)
        {
            _ = JsonRpcReader.ReadErrorMessage(message.Bytes(message.Error));
        }
    }

    private static byte[] Mutated(Random random, byte[] frame)
    {
        var bytes = frame.ToList();
        for (var mutation = random.Next(1, 4); mutation > 0; mutation--)
        {
            var at = random.Next(bytes.Count);
            var other = random.Next(bytes.Count);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] = "{}[]:,\"\\ 0u"u8[random.Next(11)];
                    break;
                case 2 when bytes.Count > 1:
                    bytes.RemoveAt(at);
                    break;
                case 3:
                    bytes.Insert(at, (byte)random.Next(32, 127));
                    break;
                case 4:
                    bytes[at] = bytes[other];
                    break;
                case 5:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(random.Next(2) == 0 ? "\\ud800" : "\\u0069"));
                    break;
                default:
                    var piece = bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    bytes.InsertRange(other, piece);
                    break;
            }
        }

        return [.. bytes];
    }

    private static string Object(Random random, int depth)
    {
        var members = new string[random.Next(6)];
        for (var i = 0; i < members.Length; i++)
        {
            var name = s_names[random.Next(depth == 0 && random.Next(3) > 0 ? 6 : s_names.Length)];
            var value = depth < 3 && random.Next(3) == 0 ? Object(random, depth + 1) : s_scalars[random.Next(s_scalars.Length)];
            members[i] = $"{Space(random)}\"{name}\"{Space(random)}:{Space(random)}{value}{Space(random)}";
        }

        return $"{Space(random)}{{{string.Join(',', members)}}}{Space(random)}";
    }

    private static string Space(Random random) => random.Next(8) == 0 ? " \t\r\n"[..random.Next(1, 5)] : "";
}
