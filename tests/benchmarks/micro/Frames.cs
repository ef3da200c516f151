using System.Text;

namespace Genkit.Sidecar.Benchmarks.Micro;

/// <summary>What the peers of the sidecar send.</summary>
internal static class Frames
{
    /// <summary>An object of so many bytes.</summary>
    public static byte[] Payload(int length) => Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', length - 11)}}"}""");

    /// <summary>The manager's request to run a flow, with an input of so many bytes.</summary>
    public static byte[] RunAction(int inputLength) =>
    [
        .. """{"jsonrpc":"2.0","method":"runAction","params":{"key":"/flow/echo","input":"""u8,
        .. Payload(inputLength),
        .. ""","stream":false,"streamInput":false},"id":"12345"}"""u8,
    ];
}
