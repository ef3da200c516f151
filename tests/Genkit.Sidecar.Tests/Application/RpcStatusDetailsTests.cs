using System.Text;
using Genkit.Sidecar.Application;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Genkit.Sidecar.Tests.Application;

public class RpcStatusDetailsTests
{
    [Fact]
    public void ReadStack_DebugInfo_GivesItsEntriesALineEach()
    {
        var debugInfo = DebugInfo("detail", "at a", "at é");

        Assert.Equal("at a\nat é", RpcStatusDetails.ReadStack(Status(("type.googleapis.com/google.rpc.DebugInfo", debugInfo))));
    }

    [Fact]
    public void ReadStack_DebugInfoWithoutEntries_GivesItsDetail()
    {
        Assert.Equal("detail", RpcStatusDetails.ReadStack(Status(("type.googleapis.com/google.rpc.DebugInfo", DebugInfo("detail")))));
        Assert.Null(RpcStatusDetails.ReadStack(Status(("type.googleapis.com/google.rpc.DebugInfo", []))));
    }

    [Fact]
    public void ReadStack_OtherDetailsFirst_FindsDebugInfoAmongThem()
    {
        var details = Status(
            ("type.googleapis.com/google.rpc.ErrorInfo", Field(1, "reason")),
            ("", []),
            ("other.example/google.rpc.DebugInfo", DebugInfo("", "at a")));

        Assert.Equal("at a", RpcStatusDetails.ReadStack(details));
    }

    [Fact]
    public void ReadStack_NoDebugInfo_IsNull()
    {
        Assert.Null(RpcStatusDetails.ReadStack(ReadOnlyMemory<byte>.Empty));
        Assert.Null(RpcStatusDetails.ReadStack(Status()));
        Assert.Null(RpcStatusDetails.ReadStack(Status(("type.googleapis.com/google.rpc.RetryInfo", []))));
        Assert.Null(RpcStatusDetails.ReadStack("not a status at all"u8.ToArray()));
    }

    [Fact]
    public void ReadStack_BytesBrokenAtRandom_NeverThrows()
    {
        var random = new Random(20261127);
        var status = Status(
            ("type.googleapis.com/google.rpc.ErrorInfo", Field(1, "reason")),
            ("type.googleapis.com/google.rpc.DebugInfo", DebugInfo("detail", "at a", "at b")));
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = status.ToArray();
            for (var flips = random.Next(1, 6); flips > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            _ = RpcStatusDetails.ReadStack(bytes.AsMemory(0, random.Next(bytes.Length + 1)));
        }
    }

    private static byte[] Status(params (string TypeUrl, byte[] Value)[] details)
    {
        var status = new List<byte>([0x08, 0x0D, .. Field(2, "message")]);
        foreach (var (typeUrl, value) in details)
        {
            status.AddRange(Field(3, new Any { TypeUrl = typeUrl, Value = ByteString.CopyFrom(value) }.ToByteArray()));
        }

        return [.. status];
    }

    private static byte[] DebugInfo(string detail, params string[] entries) =>
        [.. entries.SelectMany(entry => Field(1, entry)), .. detail.Length > 0 ? Field(2, detail) : []];

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] bytes)
    {
        Assert.InRange(bytes.Length, 0, 127);
        return [(byte)((number << 3) | 2), (byte)bytes.Length, .. bytes];
    }
}
