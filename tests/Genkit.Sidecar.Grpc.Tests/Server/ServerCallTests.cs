using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Genkit.Sidecar.Grpc.Server;
using Genkit.Sidecar.Grpc.Tests.Callers;
using Genkit.Sidecar.Grpc.Tests.Peers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Genkit.Sidecar.Grpc.Tests.Server;

/// <summary>What a call does in moments that callers do not bring about on cue, and how a server lives beside others and ends.</summary>
public sealed class ServerCallTests(CallerProcesses callers)
{
    public static TheoryData<CallerKind> Callers { get; } = [.. Enum.GetValues<CallerKind>()];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deadline_HandlerIgnoresIt_IsToldAtOnce(bool hasAnswered)
    {
        var time = new ManualTime();
        var isServed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var afterwards = new TaskCompletionSource<(bool IsCancelled, Exception? Read, Exception? Write)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(
            async call =>
            {
                await call.ReadAsync(CancellationToken.None);
                if (hasAnswered)
                {
                    await call.WriteAsync(call.Message, flush: true);
                }

                isServed.SetResult();
                await goOn.Task;
                afterwards.SetResult((
                    call.CancellationToken.IsCancellationRequested,
                    await Record.ExceptionAsync(async () => await call.ReadAsync(CancellationToken.None)),
                    await Record.ExceptionAsync(async () => await call.WriteAsync(default, flush: true))));
                return GrpcStatus.OK;
            },
            new GrpcServerOptions { TimeProvider = time });
        using var http = new HttpClient();
        using var body = new OpenContent(RawRequest.Framed(1));
        var sending = http.ExchangeAsync(RawRequest.Create(host, body, ("grpc-timeout", "10S")));
        await isServed.Task.WaitAsync(Timeouts.Default, Token);

        time.Advance(TimeSpan.FromSeconds(10));

        using var response = await sending;
        var status = await response.StatusAsync();
        Assert.Equal((GrpcStatusCode.DeadlineExceeded, "the call did not end within 10 s"), (status.Code, status.Message));
        goOn.SetResult();
        var (isCancelled, read, write) = await afterwards.Task.WaitAsync(Timeouts.Default, Token);
        Assert.True(isCancelled);
        Assert.IsType<OperationCanceledException>(read);
        Assert.IsType<OperationCanceledException>(write);
    }

    [Fact]
    public async Task Deadline_CallerDoesNotRead_EndsTheWrite()
    {
        var time = new ManualTime();
        var isWaiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(
            async call =>
            {
                // More than the windows of HTTP/2 take, so that one of these writes waits.
                var write = call.WriteAsync(new ReadOnlySequence<byte>(new byte[64 * 1024 * 1024]), flush: true);
                isWaiting.SetResult();
                outcome.SetResult(await Record.ExceptionAsync(async () => await write));
                return GrpcStatus.OK;
            },
            new GrpcServerOptions { TimeProvider = time });
        using var http = new HttpClient();
        using var response = await http.ExchangeAsync(RawRequest.Create(host, RawRequest.Framed(1), ("grpc-timeout", "10S")));
        await isWaiting.Task.WaitAsync(Timeouts.Default, Token);

        time.Advance(TimeSpan.FromSeconds(10));

        Assert.IsType<OperationCanceledException>(await outcome.Task.WaitAsync(Timeouts.Default, Token));
        GrpcStatus? status = null;
        var failure = await Record.ExceptionAsync(async () => status = await response.StatusAsync());
        if (failure is null)
        {
            // The deadline came before the windows were full.
            Assert.Equal(GrpcStatusCode.DeadlineExceeded, status!.Code);
        }
        else
        {
            Assert.Equal(8, Assert.IsType<HttpProtocolException>(failure.GetBaseException()).ErrorCode);
        }
    }

    [Fact]
    public async Task Deadline_CallbackThrows_EndsTheCallAndNothingElse()
    {
        var time = new ManualTime();
        var isServed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(
            async call =>
            {
                call.CancellationToken.UnsafeRegister(static _ => throw new InvalidOperationException("planned"), null);
                isServed.SetResult();
                await call.ReadAsync(CancellationToken.None);
                return await Task.FromCanceled<GrpcStatus>(new CancellationToken(canceled: true));
            },
            new GrpcServerOptions { TimeProvider = time });
        using var http = new HttpClient();
        using var body = new OpenContent([]);
        var sending = http.ExchangeAsync(RawRequest.Create(host, body, ("grpc-timeout", "10S")));
        await isServed.Task.WaitAsync(Timeouts.Default, Token);

        time.Advance(TimeSpan.FromSeconds(10));

        using var response = await sending;
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await response.StatusAsync()).Code);
        Assert.Equal("planned", Assert.Single(host.TakeErrors())!.InnerException!.Message);
    }

    [Fact]
    public async Task Message_RefusedWhileTheHandlerWrites_EndsTheCallWithItsStatus()
    {
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            var reading = Record.ExceptionAsync(async () => await call.ReadAsync(CancellationToken.None)).AsTask();
            outcome.SetResult(await Record.ExceptionAsync(async () =>
            {
                while (true)
                {
                    await call.WriteAsync(new ReadOnlySequence<byte>(new byte[100_000]), flush: true);
                }
            }));
            await reading;
            return GrpcStatus.OK;
        });
        using var http = new HttpClient();
        using var body = new OpenContent([]);
        using var response = await http.ExchangeAsync(RawRequest.Create(host, body));

        await body.WriteAsync([7, 0, 0, 0, 0]);

        var status = await response.StatusAsync();
        Assert.Equal(GrpcStatusCode.Internal, status.Code);
        Assert.Contains("compressed flag 7", status.Message, StringComparison.Ordinal);
        Assert.IsType<OperationCanceledException>(await outcome.Task.WaitAsync(Timeouts.Default, Token));
    }

    [Fact]
    public async Task Read_GivenUp_CanBeRepeated()
    {
        var isReading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            using var patience = new CancellationTokenSource();
            var first = call.ReadAsync(patience.Token);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await call.ReadAsync(CancellationToken.None));
            await patience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await first);
            Assert.False(call.CancellationToken.IsCancellationRequested);
            isReading.SetResult();
            Assert.True(await call.ReadAsync(CancellationToken.None));
            await call.WriteAsync(call.Message, flush: false);
            return GrpcStatus.OK;
        });
        using var http = new HttpClient();
        using var body = new OpenContent([]);
        var sending = http.ExchangeAsync(RawRequest.Create(host, body));
        await isReading.Task.WaitAsync(Timeouts.Default, Token);

        await body.WriteAsync(RawRequest.Framed(1, 2, 3));

        using var response = await sending;
        Assert.Equal(GrpcStatusCode.OK, (await response.StatusAsync()).Code);
    }

    [Fact]
    public async Task Handler_ReturnsWhileItReads_EndsTheRead()
    {
        Task<Exception?>? reading = null;
        await using var host = await GrpcHost.StartAsync((GrpcServerCall call) =>
        {
            reading = Record.ExceptionAsync(async () => await call.ReadAsync(CancellationToken.None)).AsTask();
            return Task.FromResult(GrpcStatus.OK);
        });
        using var http = new HttpClient();
        using var body = new OpenContent([0, 0]);

        using var response = await http.ExchangeAsync(RawRequest.Create(host, body));

        Assert.Equal(GrpcStatusCode.OK, (await response.StatusAsync()).Code);
        Assert.IsType<OperationCanceledException>(await reading!.WaitAsync(Timeouts.Default, Token));
    }

    [Fact]
    public async Task Handler_ThrowsAndMayTellIt_IsUnknownWithItsMessage()
    {
        await using var host = await GrpcHost.StartAsync(_ => throw new InvalidOperationException("what happened"), new GrpcServerOptions { TellExceptions = true });
        using var http = new HttpClient();

        using var response = await http.ExchangeAsync(RawRequest.Create(host, RawRequest.Framed(1)));

        var status = await response.StatusAsync();
        Assert.Equal((GrpcStatusCode.Unknown, "what happened"), (status.Code, status.Message));
        Assert.Single(host.TakeErrors());
    }

    [Fact]
    public async Task Call_OfAnyLength_HasNoRateAndNoSizeToKeep()
    {
        var rate = new RequestRate { MinDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5)) };
        await using var host = await GrpcHost.StartAsync(
            null,
            server => server.Add(GrpcHost.Method, call => Task.FromResult(
                call.HttpContext.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize is null
                    ? GrpcStatus.OK
                    : new GrpcStatus(GrpcStatusCode.OutOfRange, "there is a size"))),
            (application, server) =>
            {
                application.Use(next => context =>
                {
                    // Kestrel's own can be set and not be read.
                    context.Features.Set<IHttpMinRequestBodyDataRateFeature>(rate);
                    return next(context);
                });
                application.Run(server.HandleAsync);
            });
        using var http = new HttpClient();

        using var response = await http.ExchangeAsync(RawRequest.Create(host, RawRequest.Framed(1)));

        Assert.Equal(GrpcStatusCode.OK, (await response.StatusAsync()).Code);
        Assert.Null(rate.MinDataRate);
    }

    [Fact]
    public async Task Request_HandlerDoesNotRead_MakesTheCallerWait()
    {
        const int Count = 250;
        const int Size = 100_000;
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(server =>
        {
            server.Add("/test.Test/Stall", async call =>
            {
                await goOn.Task.WaitAsync(call.CancellationToken);
                var total = 0L;
                while (await call.ReadAsync(CancellationToken.None))
                {
                    total += call.Message.Length;
                }

                return total == (long)Count * Size ? GrpcStatus.OK : new GrpcStatus(GrpcStatusCode.DataLoss, $"{total}");
            });
            server.Add(GrpcHost.Method, _ => Task.FromResult(GrpcStatus.OK));
        });
        using var channel = new GrpcChannel(new GrpcChannelOptions { Target = GrpcTarget.Parse(host.Address) });
        await using var call = channel.StartCall("/test.Test/Stall", GrpcCallOptions.Default, Token);
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    await call.WriteAsync(new ReadOnlySequence<byte>(new byte[Size]), endOfStream: i == Count - 1, Token);
                }
            },
            Token);

        await using var other = channel.StartCall(GrpcHost.Method, GrpcCallOptions.Default, Token);
        await other.CompleteAsync(Token);
        Assert.Equal(0, await other.DrainAsync());
        Assert.False(writing.IsCompleted);
        goOn.SetResult();

        await writing.WaitAsync(Timeouts.Default, Token);
        Assert.Equal(0, await call.DrainAsync());
        Assert.Equal(GrpcStatusCode.OK, call.Status!.Code);
    }

    [Fact]
    public async Task Connection_Lost_CancelsTheCall()
    {
        var isCancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await GrpcHost.StartAsync(async call =>
        {
            await using var registration = call.CancellationToken.UnsafeRegister(_ => isCancelled.SetResult(), null);
            await call.SendHeadersAsync();
            await isCancelled.Task;
            return GrpcStatus.OK;
        });
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket);
            },
        };
        using var http = new HttpClient(handler);
        using var body = new OpenContent(RawRequest.Framed(1));
        using var response = await http.ExchangeAsync(RawRequest.Create(host, body));

        // As when the caller's process dies.
        socket.Close(timeout: 0);

        await isCancelled.Task.WaitAsync(Timeouts.Default, Token);
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Stop_WhileCallsRun_LetsThemEnd(CallerKind caller)
    {
        GrpcHost? host = null;
        await using (host = await GrpcHost.StartAsync(async call =>
        {
            await call.SendHeadersAsync();
            await StoppingAsync(host!);
            await call.WriteAsync(new ReadOnlySequence<byte>([49]), flush: false);
            return GrpcStatus.OK;
        }))
        {
            var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan("server"));
            await call.SendOnlyAsync(1);
            Assert.Equal("headers", (await call.NextAsync()).Event);

            await host.Application.StopAsync(CancellationToken.None).WaitAsync(Timeouts.Default, Token);

            Assert.Equal("1", (await call.NextMessageAsync()).Text);
            Assert.Equal(GrpcStatusCode.OK, (await call.NextAsync()).Status);
        }
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Stop_TimeIsUp_CancelsCallsThatGoOn(CallerKind caller)
    {
        GrpcHost? host = null;
        using var now = new CancellationTokenSource();
        await using (host = await GrpcHost.StartAsync(async call =>
        {
            await call.SendHeadersAsync();
            await StoppingAsync(host!);
            await now.CancelAsync();
            while (await call.ReadAsync(CancellationToken.None))
            {
            }

            return GrpcStatus.OK;
        }))
        {
            var call = await callers.StartAsync(caller, host, GrpcHost.Method, new CallPlan("bidi"));
            await call.SendAsync(1);
            Assert.Equal("headers", (await call.NextAsync()).Event);

            await host.Application.StopAsync(now.Token).WaitAsync(Timeouts.Default, Token);

            Assert.NotEqual(GrpcStatusCode.OK, (await call.ToEndAsync()).Status);
        }
    }

    [Theory, MemberData(nameof(Callers))]
    public async Task Mounted_BesideOtherEndpoints_TakesItsServicesOnly(CallerKind caller)
    {
        await using var host = await GrpcHost.StartAsync(
            null,
            static server => server.Add(GrpcHost.Method, _ => Task.FromResult(new GrpcStatus(GrpcStatusCode.AlreadyExists, "here"))),
            static (application, server) =>
            {
                application.MapGet("/hello/{name}", static context => context.Response.Body.WriteAsync("hi"u8.ToArray()).AsTask());
                application.MapGrpc(server);
            });

        foreach (var (method, code, text) in new[]
        {
            (GrpcHost.Method, GrpcStatusCode.AlreadyExists, "here"),
            ("/test.Test/Missing", GrpcStatusCode.Unimplemented, "/test.Test/Missing"),
            ("/test.Other/Method", GrpcStatusCode.Unimplemented, "404"),
        })
        {
            var call = await callers.StartAsync(caller, host, method, new CallPlan("unary"));
            await call.SendOnlyAsync(1);
            var end = await call.ToEndAsync();
            Assert.Equal(code, end.Status);
            Assert.Contains(text, end.Message, StringComparison.Ordinal);
        }

        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.Equal("hi", await http.GetStringAsync(host.Address + "/hello/you", Token));
    }

    [Fact]
    public async Task Tls_OnOnePortWithHttp1_ServesBoth()
    {
        var certificates = new TestCertificates();
        using var certificate = certificates.Issue("localhost");
        await using var host = await GrpcHost.StartAsync(
            null,
            static server => server.Add(GrpcHost.Method, async call =>
            {
                await call.WriteAsync(await call.ReadSingleAsync(), flush: false);
                return GrpcStatus.OK;
            }),
            static (application, server) =>
            {
                application.MapGet("/hello", static context => context.Response.Body.WriteAsync("hi"u8.ToArray()).AsTask());
                application.MapGrpc(server);
            },
            endpoint => endpoint.UseHttps(certificate));
        var address = host.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        using var channel = new GrpcChannel(new GrpcChannelOptions { Target = GrpcTarget.Parse(address), CertificateAuthorities = certificates.Authorities });
        var message = RandomNumberGenerator.GetBytes(100_000);

        using var result = await channel.UnaryAsync(GrpcHost.Method, new ReadOnlySequence<byte>(message), GrpcCallOptions.Default, Token);

        Assert.Equal(GrpcStatusCode.OK, result.Status.Code);
        Assert.Equal(message, result.Message.ToArray());
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true };
        using var http = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version11 };
        Assert.Equal("hi", await http.GetStringAsync(address + "/hello", Token));
    }

    [Fact]
    public async Task UnixSocket_Unary_IsServed()
    {
        var folder = Directory.CreateTempSubdirectory("wire-");
        var path = Path.Combine(folder.FullName, "server.sock");
        await using (await GrpcHost.StartAsync(
            null,
            static server => server.Add(GrpcHost.Method, _ => Task.FromResult(new GrpcStatus(GrpcStatusCode.NotFound, ""))),
            static (application, server) => application.Run(server.HandleAsync),
            socketPath: path))
        {
            using var channel = new GrpcChannel(new GrpcChannelOptions { Target = GrpcTarget.Parse($"unix:{path}") });

            using var result = await channel.UnaryAsync(GrpcHost.Method, default, GrpcCallOptions.Default, Token);

            Assert.Equal(GrpcStatusCode.NotFound, result.Status.Code);
        }

        folder.Delete(recursive: true);
    }

    private static Task StoppingAsync(GrpcHost host)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Application.Lifetime.ApplicationStopping.UnsafeRegister(static task => ((TaskCompletionSource)task!).TrySetResult(), stopping);
        return stopping.Task;
    }

    private sealed class RequestRate : IHttpMinRequestBodyDataRateFeature
    {
        public MinDataRate? MinDataRate { get; set; }
    }
}
