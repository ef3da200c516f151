using System.Net.WebSockets;
using Genkit.Sidecar.Endpoints.ReflectionV2;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

/// <summary>Decodes what the encoder writes with .NET's WebSocket, as a server.</summary>
public class WebSocketFrameEncoderTests
{
    private readonly WebSocketFrameEncoder _encoder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 6)]
    [InlineData(1, 6)]
    [InlineData(3, 6)]
    [InlineData(63, 6)]
    [InlineData(125, 6)]
    [InlineData(126, 8)]
    [InlineData(127, 8)]
    [InlineData(65_535, 8)]
    [InlineData(65_536, 14)]
    [InlineData(200_001, 14)]
    public async Task Encode_OneFrame_IsOneTextMessage(int length, int header)
    {
        var payload = Payload(length);

        Assert.Equal(header, WebSocketFrameEncoder.HeaderBytes(length));
        var (type, message) = await DecodeAsync(Frame(payload, isFirst: true, isLast: true));

        Assert.Equal(WebSocketMessageType.Text, type);
        Assert.Equal(payload, message);
    }

    [Fact]
    public async Task Encode_SeveralFrames_AreOneMessage()
    {
        var payload = Payload(1_000);

        var (type, message) = await DecodeAsync(
        [
            .. Frame(payload[..300], isFirst: true, isLast: false),
            .. Frame(payload[300..301], isFirst: false, isLast: false),
            .. Frame(payload[301..], isFirst: false, isLast: true),
        ]);

        Assert.Equal(WebSocketMessageType.Text, type);
        Assert.Equal(payload, message);
    }

    [Fact]
    public void Encode_ManyFrames_HaveKeysOfTheirOwn()
    {
        var keys = Enumerable.Range(0, 1_000).Select(_ => BitConverter.ToUInt32(Frame([], isFirst: true, isLast: true), 2)).ToList();

        // Two of 1,000 random 32-bit numbers are equal in one of 8,600 test runs. Three pairs do not occur in practice.
        Assert.InRange(keys.Distinct().Count(), 998, 1_000);
    }

    private static byte[] Payload(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)('a' + (i % 26)))];

    private static async Task<(WebSocketMessageType Type, byte[] Message)> DecodeAsync(byte[] frames)
    {
        using var stream = new MemoryStream();
        stream.Write(frames);
        stream.Position = 0;
        using var server = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true });
        var message = new List<byte>();
        var buffer = new byte[1_024];
        while (true)
        {
            var received = await server.ReceiveAsync(buffer, Token);
            message.AddRange(buffer[..received.Count]);
            if (received.EndOfMessage)
            {
                return (received.MessageType, [.. message]);
            }
        }
    }

    private byte[] Frame(byte[] payload, bool isFirst, bool isLast)
    {
        var header = WebSocketFrameEncoder.HeaderBytes(payload.Length);
        var frame = new byte[header + payload.Length];
        payload.CopyTo(frame, header);
        _encoder.Encode(frame, payload.Length, isFirst, isLast);
        return frame;
    }
}
