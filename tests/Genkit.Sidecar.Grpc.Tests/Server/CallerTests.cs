using System.Buffers;
using System.Text;
using Genkit.Sidecar.Grpc.Server;
using Genkit.Sidecar.Grpc.Tests.Callers;

namespace Genkit.Sidecar.Grpc.Tests.Server;

/// <summary>The same calls to the server side from each client.</summary>
public sealed class CallerTests(CallerProcesses callers)
{
    private const string Unary = "unary", ServerStream = "server", ClientStream = "client", Bidi = "bidi";

    public static TheoryData<CallerKind> Callers { get; } = [.. Enum.GetValues<CallerKind>()];

    public static TheoryData<CallerKind, int, bool> Sizes { get; } = new(
        from kind in Enum.GetValues<CallerKind>()
        from size in new[] { 0, 1, 4_090, 16_379, 16_380, 32_763, 65_529, 65_537, 1_000_003, 32 * 1024 * 1024 }
        from gzip in new[] { false, true }
        select (kind, size, gzip));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Sizes))]
    public async Task Unary_MessageOfAnySize_ComesBackUnchanged(CallerKind caller, int size, bool gzip)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync, new GrpcServerOptions { MaxReceiveMessageBytes = 64 * 1024 * 1024, Compress = gzip });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary) { Gzip = gzip });
        await call.SendOnlyAsync(size);

        var message = await call.NextMessageAsync();
        Assert.Equal((size, Payload.Hash(size)), (message.Size, message.Hash));
        Assert.Equal(GrpcStatusCode.OK, (await call.NextAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Gzip_BothWays_IsOnTheWire(CallerKind caller)
    {
        string? encoding = null;
        await using var host = await GrpcHost.StartAsync(
            async call =>
            {
                encoding = call.RequestHeaders.Get("grpc-encoding");
                await call.WriteAsync(await call.ReadSingleAsync(), flush: false);
                return GrpcStatus.OK;
            },
            new GrpcServerOptions { Compress = true, MaxReceiveMessageBytes = 2_000_000 });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary) { Gzip = true });
        await call.SendOnlyAsync(1_000_000);

        var headers = await call.NextAsync();
        var message = await call.NextAsync();
        Assert.Equal("gzip", encoding);
        Assert.Equal("headers", headers.Event);
        if (caller == CallerKind.Own)
        {
            // The others keep this header to themselves.
            Assert.Equal("gzip", headers.Get("grpc-encoding"));
        }

        Assert.Equal(Payload.Hash(1_000_000), message.Hash);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Metadata_TextAndBytes_TravelsBothWays(CallerKind caller)
    {
        byte[] bytes = [0, 1, 2, 255, 254];
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            call.ResponseHeaders.Add("x-text", call.RequestHeaders.Get("x-text")!);
            call.ResponseHeaders.Add("x-bytes-bin", call.RequestHeaders.GetBytes("x-bytes-bin")!);
            call.Trailers.Add("x-count", $"{call.RequestHeaders.Count(entry => entry.Key == "x-many")}");
            call.Trailers.Add("x-trailer-bin", call.RequestHeaders.GetBytes("x-bytes-bin")!);
            call.Trailers.Add("x-trailer-bin", []);
            return await EchoAsync(call);
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary)
        {
            Metadata = [("x-text", "a b,c=d;~"), ("x-bytes-bin", Convert.ToBase64String(bytes)), ("x-many", "1"), ("x-many", "2")],
        });
        await call.SendOnlyAsync(0);

        var headers = await call.NextAsync();
        var end = await call.ToEndAsync();
        Assert.Equal("a b,c=d;~", headers.Get("x-text"));
        Assert.Equal(Convert.ToBase64String(bytes), headers.Get("x-bytes-bin"));

        // The own client sends values of one name joined, as HTTP allows.
        Assert.Equal(caller == CallerKind.Own ? "1" : "2", end.Get("x-count"));
        Assert.Equal([Convert.ToBase64String(bytes), ""], end.Metadata.Where(entry => entry[0] == "x-trailer-bin").Select(entry => entry[1]));
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task ServerStream_ThousandMessages_ComeInOrder(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            await call.ReadSingleAsync();
            for (var i = 0; i < 1000; i++)
            {
                await call.WriteAsync(Text($"message {i}"), flush: i % 10 == 0);
            }

            return GrpcStatus.OK;
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(ServerStream));
        await call.SendOnlyAsync(10);

        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal($"message {i}", (await call.NextMessageAsync()).Text);
        }

        Assert.Equal(GrpcStatusCode.OK, (await call.NextAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task ClientStream_ManyMessages_AreAllRead(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            var (count, size) = (0, 0L);
            while (await call.ReadAsync())
            {
                count++;
                size += call.Message.Length;
            }

            Assert.False(await call.ReadAsync());
            await call.WriteAsync(Text($"{count} {size}"), flush: false);
            return GrpcStatus.OK;
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(ClientStream));
        for (var i = 0; i < 100; i++)
        {
            await call.SendAsync(i * 1000);
        }

        await call.EndAsync();

        Assert.Equal("100 4950000", (await call.NextMessageAsync()).Text);
        Assert.Equal(GrpcStatusCode.OK, (await call.NextAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Bidi_MessagesInTurn_AreAnsweredBeforeTheHalfClose(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(ChatAsync);

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Bidi));
        for (var i = 1; i <= 20; i++)
        {
            await call.SendAsync(i * 1000);
            Assert.Equal(Payload.Hash(i * 1000), (await call.NextMessageAsync()).Hash);
        }

        await call.EndAsync();
        Assert.Equal(GrpcStatusCode.OK, (await call.NextAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Bidi_HeadersSentFirst_ComeBeforeAnyMessage(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            call.ResponseHeaders.Add("x-early", "yes");
            await call.SendHeadersAsync();
            return await ChatAsync(call);
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Bidi));
        await call.SendAsync(0);
        var headers = await call.NextAsync();
        await call.EndAsync();

        Assert.Equal(("headers", "yes"), (headers.Event, headers.Get("x-early")));
        Assert.Equal(GrpcStatusCode.OK, (await call.ToEndAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Bidi_NoMessageAtAll_EndsWithTheStatus(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(ChatAsync);

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Bidi));
        await call.EndAsync();

        Assert.Equal(GrpcStatusCode.OK, (await call.ToEndAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Cancel_WhileTheHandlerReads_IsSeenOnBothSides(CallerKind caller)
    {
        var outcome = new TaskCompletionSource<Exception?>();
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            await call.SendHeadersAsync();
            await call.ReadAsync();
            await call.WriteAsync(Text("waiting"), flush: true);
            outcome.SetResult(await Record.ExceptionAsync(async () => await call.ReadAsync(CancellationToken.None)));
            await AssertCancelledAsync(call.CancellationToken);
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await call.WriteAsync(Text("late"), flush: true));
            return GrpcStatus.OK;
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Bidi));
        await call.SendAsync(1);
        Assert.Equal("waiting", (await call.NextMessageAsync()).Text);
        await call.CancelAsync();

        Assert.Equal(GrpcStatusCode.Cancelled, (await call.ToEndAsync()).Status);

        // grpc-js says that nothing more comes before it resets the stream, so that its cancel may look like a half-close first.
        var exception = await outcome.Task.WaitAsync(Timeouts.Default, Token);
        Assert.True(exception is OperationCanceledException || (exception is null && caller == CallerKind.Node), $"{exception}");
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Deadline_Passes_IsSeenOnBothSides(CallerKind caller)
    {
        var seen = new TaskCompletionSource<TimeSpan?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isServed = false;
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            isServed = true;
            var remaining = call.Remaining;
            await AssertCancelledAsync(call.CancellationToken);
            seen.SetResult(remaining);
            return GrpcStatus.OK;
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary) { Deadline = TimeSpan.FromSeconds(2) });
        await call.SendOnlyAsync(1);

        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await call.ToEndAsync()).Status);
        if (isServed)
        {
            // Not on a machine that is so slow that the request did not get there.
            Assert.InRange((await seen.Task.WaitAsync(Timeouts.Default, Token))!.Value, TimeSpan.FromSeconds(-60), TimeSpan.FromSeconds(2));
        }
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Status_WithDetailsAndUnicode_ComesWhole(CallerKind caller)
    {
        const string Message = "no «Käse» for 100% of 👩‍🚀\n\ttoday";
        byte[] details = [8, 3, 18, 0, 255, 128];
        var count = 0;
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            await call.ReadSingleAsync();
            for (var i = 0; i < count; i++)
            {
                await call.WriteAsync(Text("before"), flush: i == 0);
            }

            call.Trailers.Add("x-cause", "planned");
            return new GrpcStatus(GrpcStatusCode.FailedPrecondition, Message) { Details = details };
        });

        foreach (var messages in new[] { 0, 3 })
        {
            count = messages;
            var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(ServerStream));
            await call.SendOnlyAsync(1);

            for (var i = 0; i < messages; i++)
            {
                Assert.Equal("before", (await call.NextMessageAsync()).Text);
            }

            var end = await call.ToEndAsync();
            Assert.Equal((GrpcStatusCode.FailedPrecondition, Message), (end.Status, end.Message));
            Assert.Equal(Convert.ToBase64String(details), end.Get("grpc-status-details-bin"));
            Assert.Equal("planned", end.Get("x-cause"));
        }
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Status_OfEveryCode_IsKept(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            var message = await call.ReadSingleAsync();
            throw new GrpcException(new GrpcStatus((GrpcStatusCode)message.Length, "planned"));
        });
        foreach (var code in Enum.GetValues<GrpcStatusCode>().Where(code => code != GrpcStatusCode.OK))
        {
            var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary));
            await call.SendOnlyAsync((int)code);

            var end = await call.ToEndAsync();
            Assert.Equal((code, "planned"), (end.Status, end.Message));
        }
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Handler_Throws_IsUnknownAndTellsNothing(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            await call.ReadSingleAsync();
            throw new InvalidOperationException("secret");
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary));
        await call.SendOnlyAsync(1);

        var end = await call.ToEndAsync();
        Assert.Equal(GrpcStatusCode.Unknown, end.Status);
        Assert.DoesNotContain("secret", end.Message, StringComparison.Ordinal);
        Assert.Equal("secret", Assert.Single(host.TakeErrors())!.Message);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Method_NotOffered_IsUnimplementedAndNamed(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync);

        var call = await callers.StartAsync(caller, host, "/test.Test/Missing", new CallPlan(Unary));
        await call.SendOnlyAsync(1);

        var end = await call.ToEndAsync();
        Assert.Equal(GrpcStatusCode.Unimplemented, end.Status);
        Assert.Contains("/test.Test/Missing", end.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Request_OverTheLimit_IsRefusedWithBothSizes(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync, new GrpcServerOptions { MaxReceiveMessageBytes = 1000 });

        foreach (var gzip in new[] { false, true })
        {
            var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary) { Gzip = gzip });
            await call.SendOnlyAsync(5_000_000);

            var end = await call.ToEndAsync();
            Assert.Equal(GrpcStatusCode.ResourceExhausted, end.Status);
            Assert.Contains(gzip ? "bytes" : "5000000 bytes", end.Message, StringComparison.Ordinal);
            Assert.Contains("1000 bytes", end.Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Request_DecompressesPastTheLimit_IsRefused(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync, new GrpcServerOptions { MaxReceiveMessageBytes = 1_000_000 });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary) { Gzip = true });
        await call.SendOnlyAsync(32 * 1024 * 1024);

        var end = await call.ToEndAsync();
        Assert.Equal(GrpcStatusCode.ResourceExhausted, end.Status);
        Assert.Contains("decompress", end.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Response_OverTheLimit_IsRefusedWithBothSizes(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync, new GrpcServerOptions { MaxSendMessageBytes = 1000 });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary));
        await call.SendOnlyAsync(5000);

        var end = await call.ToEndAsync();
        Assert.Equal(GrpcStatusCode.ResourceExhausted, end.Status);
        Assert.Contains("5000 bytes", end.Message, StringComparison.Ordinal);
        Assert.Contains("1000 bytes", end.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Request_NotReadToItsEnd_GetsItsAnswer(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            await call.ReadAsync();
            await call.WriteAsync(Text("enough"), flush: false);
            return GrpcStatus.OK;
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(ClientStream));
        await call.SendAsync(10);
        await call.SendAsync(3_000_000);

        Assert.Equal("enough", (await call.NextMessageAsync()).Text);
        Assert.Equal(GrpcStatusCode.OK, (await call.ToEndAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Write_CallerDoesNotRead_WaitsUntilItDoes(CallerKind caller)
    {
        const int Count = 500;
        const int Size = 100_000;
        var written = 0;
        var hasBegun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(
            server =>
            {
                server.Add("/test.Test/Flood", async call =>
                {
                    await call.ReadSingleAsync();
                    var message = new ReadOnlySequence<byte>(Payload.Of(Size));
                    for (var i = 0; i < Count; i++)
                    {
                        var write = call.WriteAsync(message, flush: true);
                        if (!write.IsCompleted)
                        {
                            hasBegun.TrySetResult();
                        }

                        await write;
                        Volatile.Write(ref written, i + 1);
                    }

                    return GrpcStatus.OK;
                });
                server.Add(GrpcHost.Method, EchoAsync);
            });

        var flood = await callers.StartAsync(caller, host, "/test.Test/Flood", new CallPlan(ServerStream) { Paused = true });
        await flood.SendOnlyAsync(1);
        await hasBegun.Task.WaitAsync(Timeouts.Default, Token);
        var other = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(Unary));
        await other.SendOnlyAsync(1000);
        Assert.Equal(GrpcStatusCode.OK, (await other.ToEndAsync()).Status);

        // What windows and buffers of both sides hold.
        Assert.InRange(Volatile.Read(ref written), 0, 200);
        await flood.ResumeAsync();
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(Size, (await flood.NextMessageAsync()).Size);
        }

        Assert.Equal(GrpcStatusCode.OK, (await flood.ToEndAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Cancel_WhileTheHandlerWaitsForTheReader_EndsItsWrite(CallerKind caller)
    {
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            await call.ReadSingleAsync();
            await call.SendHeadersAsync();
            var message = new ReadOnlySequence<byte>(new byte[1_000_000]);
            outcome.SetResult(await Record.ExceptionAsync(async () =>
            {
                while (true)
                {
                    await call.WriteAsync(message, flush: true);
                }
            }));
            return GrpcStatus.OK;
        });

        var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan(ServerStream) { Paused = true });
        await call.SendOnlyAsync(1);
        Assert.Equal("headers", (await call.NextAsync()).Event);
        await call.CancelAsync();

        Assert.IsType<OperationCanceledException>(await outcome.Task.WaitAsync(Timeouts.Default, Token));
        await call.ResumeAsync();
        Assert.Equal(GrpcStatusCode.Cancelled, (await call.ToEndAsync()).Status);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Calls_ThousandAtOnce_AreServedAtOnce(CallerKind caller)
    {
        const int Count = 1000;
        var waiting = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            var message = await call.ReadSingleAsync();
            if (Interlocked.Increment(ref waiting) == Count)
            {
                all.SetResult();
            }

            await all.Task.WaitAsync(call.CancellationToken);
            await call.WriteAsync(message, flush: false);
            return GrpcStatus.OK;
        });

        if (caller != CallerKind.Own)
        {
            var end = await callers.Get(caller).BurstAsync(host.Address, GrpcHost.Method, Count);
            Assert.Equal((GrpcStatusCode.OK, "0 failed"), (end.Status, end.Message));
            return;
        }

        using var channel = new GrpcChannel(new GrpcChannelOptions { Target = GrpcTarget.Parse(host.Address) });
        await Task.WhenAll(Enumerable.Range(0, Count).Select(async i =>
        {
            using var result = await channel.UnaryAsync(GrpcHost.Method, new ReadOnlySequence<byte>(Payload.Of(i)), GrpcCallOptions.Default, Token);
            Assert.Equal(GrpcStatusCode.OK, result.Status.Code);
            Assert.Equal(Payload.Of(i), result.Message.ToArray());
        })).WaitAsync(Timeouts.Default, Token);
    }

    private static ReadOnlySequence<byte> Text(string text) => new(Encoding.UTF8.GetBytes(text));

    private static async Task<GrpcStatus> EchoAsync(GrpcServerCall call)
    {
        await call.WriteAsync(await call.ReadSingleAsync(), flush: false);
        return GrpcStatus.OK;
    }

    private static async Task<GrpcStatus> ChatAsync(GrpcServerCall call)
    {
        while (await call.ReadAsync())
        {
            await call.WriteAsync(call.Message, flush: true);
        }

        return GrpcStatus.OK;
    }

    private static async Task AssertCancelledAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.UnsafeRegister(static task => ((TaskCompletionSource)task!).SetResult(), cancelled);
        await cancelled.Task.WaitAsync(Timeouts.Default, CancellationToken.None);
    }
}
