using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;

namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>A call that this project's own client makes.</summary>
internal sealed class OwnCall : ICall
{
    private readonly GrpcChannel _channel;
    private readonly GrpcCall _call;
    private readonly bool _hasOneRequest;
    private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<CallEvent> _events = Channel.CreateUnbounded<CallEvent>();

    public OwnCall(GrpcTarget target, string method, CallPlan plan)
    {
        _channel = new GrpcChannel(new GrpcChannelOptions { Target = target, MaxReceiveMessageBytes = 64 * 1024 * 1024 });
        var metadata = new GrpcMetadata();
        foreach (var (name, value) in plan.Metadata)
        {
            if (name.EndsWith("-bin", StringComparison.Ordinal))
            {
                metadata.Add(name, Convert.FromBase64String(value));
            }
            else
            {
                metadata.Add(name, value);
            }
        }

        _hasOneRequest = plan.Kind is "unary" or "server";
        _call = _channel.StartCall(
            method, new GrpcCallOptions { Metadata = metadata, Deadline = plan.Deadline, Compress = plan.Gzip }, TestContext.Current.CancellationToken);
        if (!plan.Paused)
        {
            _resumed.SetResult();
        }

        _ = ReadAsync();
    }

    public Task SendAsync(int size) => _call.WriteAsync(new ReadOnlySequence<byte>(Payload.Of(size)), endOfStream: _hasOneRequest, CancellationToken.None).AsTask();

    public Task EndAsync() => _call.CompleteAsync(CancellationToken.None).AsTask();

    public Task CancelAsync()
    {
        _call.Cancel();
        return Task.CompletedTask;
    }

    public Task ResumeAsync()
    {
        _resumed.SetResult();
        return Task.CompletedTask;
    }

    public Task<CallEvent> NextAsync() => _events.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Timeouts.Default);

    private async Task ReadAsync()
    {
        await _call.HeadersReceived;
        if (_call.ResponseHeaders.Count > 0 && _call.ResponseHeaders.Get("grpc-status") is null)
        {
            Say(new CallEvent(0, "headers") { Metadata = Entries(_call.ResponseHeaders) });
        }

        await _resumed.Task;
        while (await _call.ReadAsync(CancellationToken.None))
        {
            var message = _call.Message.ToArray();
            Say(new CallEvent(0, "message")
            {
                Size = message.Length,
                Hash = Convert.ToHexStringLower(SHA256.HashData(message)),
                Text = message.Length <= 100 ? Encoding.UTF8.GetString(message) : null,
            });
        }

        var trailers = _call.Trailers;
        var status = _call.Status!;
        await _call.DisposeAsync();
        _channel.Dispose();
        Say(new CallEvent(0, "end") { Code = (int)status.Code, Message = status.Message, Metadata = Entries(trailers) });
    }

    private void Say(CallEvent what) => _events.Writer.TryWrite(what);

    // With the padding that others' base64 has.
    private static string[][] Entries(GrpcMetadata metadata) =>
        [.. metadata.Select(entry => new[] { entry.Key, entry.Key.EndsWith("-bin", StringComparison.Ordinal) ? Convert.ToBase64String(BinaryHeader.Decode(entry.Value)!) : entry.Value })];
}
