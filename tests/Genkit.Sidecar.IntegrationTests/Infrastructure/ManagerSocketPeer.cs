using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>The manager's end of one WebSocket. It reads, and therefore answers PINGs, only while a test waits for a frame.</summary>
internal sealed class ManagerSocketPeer(HttpContext context, WebSocket webSocket)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Ended => _ended.Task;

    public WebSocketCloseStatus? CloseStatus => webSocket.CloseStatus;

    public IHeaderDictionary UpgradeHeaders => context.Request.Headers;

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, WebSocketMessageType type = WebSocketMessageType.Text, bool endOfMessage = true) =>
        await webSocket.SendAsync(bytes, type, endOfMessage, CancellationToken.None).AsTask().WaitAsync(Timeouts.Default);

    /// <summary>Receives one message; null when the sidecar has closed or lost the connection.</summary>
    public async Task<byte[]?> ReceiveBytesAsync()
    {
        using var message = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            ValueWebSocketReceiveResult received;
            try
            {
                received = await webSocket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Timeouts.Default);
            }
            catch (WebSocketException)
            {
                return null;
            }

            if (received.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            message.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
            {
                return message.ToArray();
            }
        }
    }

    public async Task<string> ReceiveTextAsync() =>
        Encoding.UTF8.GetString(await ReceiveBytesAsync() ?? throw new InvalidOperationException("The sidecar has closed the connection"));

    /// <summary>Receives one frame and parses it.</summary>
    public async Task<JsonElement> ReceiveAsync()
    {
        using var frame = JsonDocument.Parse(await ReceiveTextAsync(), new JsonDocumentOptions { MaxDepth = 100_000 });
        return frame.RootElement.Clone();
    }

    /// <summary>Receives the frames of one request up to its answer.</summary>
    public async Task<IReadOnlyList<JsonElement>> ReceiveUntilAnswerAsync()
    {
        var frames = new List<JsonElement>();
        do
        {
            frames.Add(await ReceiveAsync());
        }
        while (frames[^1].TryGetProperty("method", out _));
        return frames;
    }

    /// <summary>Receives frames, other requests' among them, up to the answer of this one.</summary>
    public async Task<IReadOnlyList<JsonElement>> ReceiveUntilAnswerAsync(string id)
    {
        // Without this limit, a run that streams without end would fill the memory.
        var start = Stopwatch.GetTimestamp();
        var frames = new List<JsonElement>();
        do
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Timeouts.Default && frames.Count < 100_000, $"no answer to {id} came");
            frames.Add(await ReceiveAsync());
        }
        while (!frames[^1].Answers(id));
        return frames;
    }

    /// <summary>Sends a request whose answer is a single frame, and receives it.</summary>
    public async Task<JsonElement> AskForOneAsync(string request) => Assert.Single(await AskAsync(request));

    /// <summary>Asserts that the connection is open and the sidecar answers.</summary>
    public async Task AssertAnswersAsync()
    {
        var answer = await AskForOneAsync(Requests.ListActions("still-there"));
        Assert.True(answer.Has("result"), answer.GetRawText());
    }

    /// <summary>Sends a request and receives all frames up to its answer.</summary>
    public async Task<IReadOnlyList<JsonElement>> AskAsync(string request)
    {
        await SendAsync(request);
        return await ReceiveUntilAnswerAsync();
    }

    /// <summary>Receives the registration and answers it with this result.</summary>
    public async Task<JsonElement> AcceptRegistrationAsync(string result = "{}")
    {
        var register = await ReceiveAsync();
        await SendAsync($$"""{"jsonrpc":"2.0","result":{{result}},"id":{{register.GetProperty("id").GetRawText()}}}""");
        return register;
    }

    /// <summary>Closes the WebSocket with a close handshake.</summary>
    public async Task CloseAsync()
    {
        await webSocket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WaitAsync(Timeouts.Default);
        _ended.TrySetResult();
    }

    /// <summary>Drops the connection without a close frame.</summary>
    public void Cut()
    {
        if (!_ended.Task.IsCompleted)
        {
            context.Abort();
            _ended.TrySetResult();
        }
    }
}
