using System.Buffers;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>A request's pooled memory is returned once and is not read afterwards.</summary>
public sealed class OutgoingMessageTests
{
    private static readonly Method<OutgoingMessage, byte[]> s_method = new(
        MethodType.ServerStreaming, "a.B", "C",
        new Marshaller<OutgoingMessage>(OutgoingMessage.Serialize, static _ => throw new NotSupportedException()),
        Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_CancelledAtAnyMoment_IsReturnedOnceAndNeverReadAfterwards()
    {
        var spoiled = 0;
        await using var peer = await KestrelPeer.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            if (body.ToArray().Skip(5).Any(b => b != 7))
            {
                Interlocked.Increment(ref spoiled);
            }
        });
        using var channel = new ClientChannel(new ClientChannelOptions { Target = peer.Target }, NullLogger.Instance);

        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            using var memory = new Memory();
            var message = new OutgoingMessage(new ReadOnlySequence<byte>(memory.Bytes), memory);
            using var call = channel.Calls.AsyncServerStreamingCall(s_method, null, new CallOptions(cancellationToken: Token), message);
            var canceller = Task.Run(() => Thread.SpinWait(i * 300), Token);
            if (i % 3 == 0)
            {
                await Task.WhenAny(canceller, call.ResponseHeadersAsync);
            }
            else
            {
                await canceller;
            }

            call.Dispose();
            message.Release();
            message.Release();
            Assert.Equal(1, memory.Returned);
            await canceller;
            await call.ResponseHeadersAsync.ContinueWith(static headers => headers.Exception, TaskScheduler.Default);
        }));

        Assert.Equal(0, spoiled);
    }

    [Fact]
    public async Task Request_RefusedAndSentAgain_IsReadTwiceAndReturnedOnce()
    {
        List<byte[]> received = [];
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.GreetAsync();
            while (true)
            {
                var frame = await connection.ReceiveAsync(Http2Peer.Connection.Data);
                if (frame.Payload.Length == 0)
                {
                    continue;
                }

                received.Add(frame.Payload);
                if (received.Count == 1)
                {
                    await connection.ResetAsync(frame.StreamId, 7);
                }
                else
                {
                    await connection.SendHeadersAsync(frame.StreamId, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"));
                    await connection.StayAsync();
                }
            }
        });
        using var channel = new ClientChannel(new ClientChannelOptions { Target = peer.Target }, NullLogger.Instance);
        using var memory = new Memory();
        var message = new OutgoingMessage(new ReadOnlySequence<byte>(memory.Bytes), memory);
        using var call = channel.Calls.AsyncServerStreamingCall(s_method, null, new CallOptions(cancellationToken: Token), message);

        Assert.False(await call.ResponseStream.MoveNext(Token).WaitAsync(Timeouts.Default, Token));
        message.Release();

        Assert.Equal(2, received.Count);
        Assert.Equal(received[0], received[1]);
        Assert.Equal(1, memory.Returned);
    }

    private sealed class Memory : IDisposable
    {
        private int _returned;

        public byte[] Bytes { get; } = [.. Enumerable.Repeat((byte)7, 5_000)];

        public int Returned => _returned;

        public void Dispose()
        {
            // The test's own using disposes after the Dispose that is under test.
            if (Interlocked.Increment(ref _returned) == 1)
            {
                Array.Fill(Bytes, (byte)0xDD);
            }
        }
    }
}
