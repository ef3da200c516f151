using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>Genkit's side of the Reflection API v2: a WebSocket server for one sidecar, to which it sends requests.</summary>
internal sealed class Manager : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<string, ManagerRun> _runs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonElement>> _requests = new(StringComparer.Ordinal);
    private TaskCompletionSource<WebSocket> _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lastId;

    private Manager(WebApplication server) => _server = server;

    public Uri Address { get; private set; } = null!;

    public static async Task<Manager> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = builder.Build();
        var manager = new Manager(server);
        server.UseWebSockets();
        server.Run(manager.ServeAsync);
        await server.StartAsync();
        manager.Address = new UriBuilder(server.Urls.Single()) { Scheme = "ws" }.Uri;
        return manager;
    }

    public bool IsConnected => _registered.Task.IsCompletedSuccessfully;

    /// <summary>Completes when a sidecar has registered.</summary>
    public Task RegisteredAsync(CancellationToken cancellationToken) => _registered.Task.WaitAsync(cancellationToken);

    public async Task<ManagerRun> StartAsync(RunPlan plan, CancellationToken cancellationToken)
    {
        var id = NextId();
        var run = new ManagerRun(this, id);
        _runs[id] = run;
        await SendAsync(ManagerFrames.Run(id, plan), cancellationToken);
        return run;
    }

    /// <summary>Sends a request with a single response and returns its result.</summary>
    /// <exception cref="CaseFailure">It failed.</exception>
    public async Task<JsonElement> AskAsync(Func<string, byte[]> frame, CancellationToken cancellationToken)
    {
        var id = NextId();
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _requests[id] = answer;
        await SendAsync(frame(id), cancellationToken);
        return await answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Requests cancellation of a run without waiting for the response, because an ended run cannot be cancelled, which is not a failure.</summary>
    public Task CancelAsync(string traceId, CancellationToken cancellationToken) => SendAsync(ManagerFrames.Cancel(NextId(), traceId), cancellationToken);

    /// <exception cref="CaseFailure">There is no connection.</exception>
    public async Task SendAsync(byte[] frame, CancellationToken cancellationToken)
    {
        var registered = _registered.Task;
        var socket = registered.IsCompletedSuccessfully ? await registered : throw new CaseFailure("the sidecar is not connected");
        await _sending.WaitAsync(cancellationToken);
        try
        {
            // Never cancelled, because a partial frame would end the connection.
            await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).WaitAsync(cancellationToken);
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The end of the connection fails the pending requests.
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Disconnects the sidecar, so that another one can register.</summary>
    public void Disconnect()
    {
        var registered = _registered.Task;
        _registered = new TaskCompletionSource<WebSocket>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (registered.IsCompletedSuccessfully)
        {
            registered.Result.Abort();
        }

        EndAll("the sidecar was disconnected");
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
        _sending.Dispose();
    }

    private string NextId() => Interlocked.Increment(ref _lastId).ToString(CultureInfo.InvariantCulture);

    private async Task ServeAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var reason = "the sidecar closed the connection";
        try
        {
            while (await ReceiveAsync(socket) is { } frame)
            {
                using var document = JsonText.Parse(frame);
                await TakeAsync(socket, document.RootElement);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            reason = $"the connection to the sidecar was lost: {e.Message}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            reason = $"the manager failed: {e.Message}";
        }

        // A reconnected sidecar, or another one, may have registered already. Its runs must not be ended.
        if (_registered.Task is { IsCompletedSuccessfully: true } registered && registered.Result == socket)
        {
            _registered = new TaskCompletionSource<WebSocket>(TaskCreationOptions.RunContinuationsAsynchronously);
            EndAll(reason);
        }
    }

    private void EndAll(string reason)
    {
        foreach (var run in _runs.Values)
        {
            run.Fail(reason);
        }

        foreach (var request in _requests.Values)
        {
            request.TrySetException(new CaseFailure(reason));
        }

        _runs.Clear();
        _requests.Clear();
    }

    private static async Task<byte[]?> ReceiveAsync(WebSocket socket)
    {
        using var message = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
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

    private async Task TakeAsync(WebSocket socket, JsonElement frame)
    {
        if (!frame.TryGetProperty("method", out var method))
        {
            await AnswerAsync(frame);
            return;
        }

        var parameters = frame.GetProperty("params");
        switch (method.GetString())
        {
            case "register":
                await socket.SendAsync(ManagerFrames.Registered(frame.GetProperty("id")), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                if (!_registered.TrySetResult(socket))
                {
                    _registered = new TaskCompletionSource<WebSocket>(TaskCreationOptions.RunContinuationsAsynchronously);
                    _registered.SetResult(socket);
                }

                break;
            case "runActionState" when RunOf(parameters) is { } run:
                run.OnState(parameters.GetProperty("state"));
                break;
            case "streamChunk" when RunOf(parameters) is { } run:
                await run.OnChunkAsync(parameters.GetProperty("chunk"));
                break;
            default:
                // The case of this run has ended.
                break;
        }
    }

    private async Task AnswerAsync(JsonElement frame)
    {
        var id = frame.GetProperty("id").GetString() ?? "";
        if (_runs.TryGetValue(id, out var run))
        {
            await run.OnAnswerAsync(frame);
        }
        else if (_requests.TryRemove(id, out var request))
        {
            if (frame.TryGetProperty("result", out var result))
            {
                request.TrySetResult(result.Clone());
            }
            else
            {
                request.TrySetException(new CaseFailure($"the request failed: {frame.GetProperty("error").GetRawText()}"));
            }
        }
    }

    private ManagerRun? RunOf(JsonElement parameters) =>
        _runs.TryGetValue(parameters.GetProperty("requestId").GetString() ?? "", out var run) ? run : null;
}
