using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Google.Protobuf;

namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

internal static class WireCalls
{
    public static Task<bool> NextAsync(this RawCall call) =>
        call.ReadAsync(TestContext.Current.CancellationToken).WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

    public static Task SendAsync(this RawCall call, IMessage message, bool endOfStream = false) =>
        call.WriteAsync(message.ToByteArray(), endOfStream, TestContext.Current.CancellationToken)
            .WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

    /// <summary>Reads to the end and returns the number of messages.</summary>
    public static async Task<int> DrainAsync(this RawCall call)
    {
        var count = 0;
        while (await call.NextAsync())
        {
            count++;
        }

        return count;
    }

    public static byte[] Body(this RawCall call) => Body(call.Message);

    public static byte[] Body(this RawResult result) => Body(result.Message);

    private static byte[] Body(byte[] message) => Message.Parser.ParseFrom(message).Body.ToByteArray();
}
