using System.Buffers;
using Google.Protobuf;

namespace Genkit.Sidecar.Grpc.Tests.Peers;

internal static class WireCalls
{
    public static Task<bool> NextAsync(this GrpcCall call) =>
        call.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

    public static Task SendAsync(this GrpcCall call, IMessage message, bool endOfStream = false) =>
        call.WriteAsync(WireChannel.Bytes(message), endOfStream, TestContext.Current.CancellationToken)
            .AsTask().WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

    /// <summary>Reads to the end and gives how many messages came.</summary>
    public static async Task<int> DrainAsync(this GrpcCall call)
    {
        var count = 0;
        while (await call.NextAsync())
        {
            count++;
        }

        return count;
    }

    public static byte[] Body(this GrpcCall call) => Body(call.Message);

    public static byte[] Body(this GrpcUnaryResult result) => Body(result.Message);

    public static Plan Plan(this GrpcUnaryResult result) => Peers.Plan.Parser.ParseFrom(result.Message);

    private static byte[] Body(ReadOnlySequence<byte> message) => Message.Parser.ParseFrom(message).Body.ToByteArray();
}
