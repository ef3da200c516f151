using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Genkit.Sidecar.Client.Tests.Infrastructure;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Mvc;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>Runs handlers of every shape over real gRPC.</summary>
public sealed class RunningTests : ApplicationTest
{
    private const string Exact = """{"b":9007199254740993, "a":-0,"a":1e400,"\u0061":"é\ud800"}""";

    private static readonly Dictionary<string, Delegate> s_shapes = new()
    {
        ["blocking"] = (int input, ActionRunContext context) =>
        {
            context.SendChunkAsync("chunk").AsTask().Wait(context.CancellationToken);
            return input + 1;
        },
        ["task"] = async (int input, ActionRunContext context) =>
        {
            await context.SendChunkAsync("chunk");
            return input + 1;
        },
        ["value-task"] = ValueTaskAsync,
        ["method"] = new Adder(1).AddAsync,
        ["other-order"] = async (CancellationToken cancellationToken, ActionRunContext context, int input) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            await context.SendChunkAsync("chunk");
            return input + 1;
        },
        ["no-parameter-but-input"] = async (int input) =>
        {
            await ActionRunContext.Current!.SendChunkAsync("chunk");
            return input + 1;
        },
        ["object"] = async (int input) =>
        {
            await ActionRunContext.Current!.SendChunkAsync<object>("chunk");
            return (object)(input + 1);
        },
    };

    private static readonly Dictionary<string, Delegate> s_streams = new()
    {
        ["task"] = async (IAsyncEnumerable<int> numbers, ActionRunContext context) =>
        {
            var total = 0;
            await foreach (var number in numbers)
            {
                await context.SendChunkAsync(number);
                total += number;
            }

            return total;
        },
        ["cancellable"] = async (CancellationToken cancellationToken, IAsyncEnumerable<int> numbers, ActionRunContext context) =>
        {
            var total = 0;
            await foreach (var number in numbers.WithCancellation(cancellationToken))
            {
                await context.SendChunkAsync(number);
                total += number;
            }

            return total;
        },
        ["blocking"] = (IAsyncEnumerable<int> numbers, ActionRunContext context) =>
        {
            var total = 0;
            foreach (var number in numbers.ToBlockingEnumerable())
            {
                context.SendChunkAsync(number).AsTask().Wait(context.CancellationToken);
                total += number;
            }

            return total;
        },
    };

    public static TheoryData<string> Shapes => [.. s_shapes.Keys];

    public static TheoryData<string> Streams => [.. s_streams.Keys];

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Handler_OfEveryShape_SendsAndReturns(string shape)
    {
        Application.Flow(shape, s_shapes[shape]);

        var outcome = await Caller.RunAsync($"/flow/{shape}", "41");

        Assert.Equal(["\"chunk\""], outcome.Chunks);
        Assert.Equal("42", outcome.Result);
    }

    [Fact]
    public async Task Handler_OfSourceGeneratedTypes_SendsAndReturns()
    {
        Application.Flow("typed", ActionHandler.Create(
            async (line, context) =>
            {
                await context.SendChunkAsync(line, TestJson.Default.Line);
                return line.Count + 1;
            },
            TestJson.Default.Line,
            TestJson.Default.Int32));
        Application.Flow("streamed", ActionHandler.CreateStreaming(async (lines, _) => await lines.Select(line => line.Count).SumAsync(), TestJson.Default.Line, TestJson.Default.Int32));

        var outcome = await Caller.RunAsync("/flow/typed", """{"sku":"a"}""");

        Assert.Equal(["""{"sku":"a","count":1}"""], outcome.Chunks);
        Assert.Equal("2", outcome.Result);
        Assert.Equal((3, "\"sku\" must be a string"), (await Caller.RunAsync("/flow/typed", """{"sku":1}""")).Failure);
        Assert.Equal("3", (await Caller.RunBidiAsync("/flow/streamed", ["""{"sku":"a"}""", """{"sku":"b","count":2}"""])).Result);
    }

    [Fact]
    public async Task Handler_ThatEnumerates_SendsItsItems()
    {
        Application.Flow("words", Words);

        var outcome = await Caller.RunAsync("/flow/words", "\"a b\"");

        Assert.Equal(["\"a\"", "\"b\""], outcome.Chunks);
        Assert.True(outcome.HasResult);
        Assert.Null(outcome.Result);

        static async IAsyncEnumerable<string> Words(string text)
        {
            foreach (var word in text.Split(' '))
            {
                await Task.Yield();
                yield return word;
            }
        }
    }

    [Fact]
    public async Task Handler_WithAServiceParameter_GetsIt()
    {
        Application.Flow("greet", (string name, [FromServices] Greeter greeter) => $"{greeter.Word}, {name}!");

        Assert.Equal("\"Hello, Ada!\"", (await Caller.RunAsync("/flow/greet", "\"Ada\"")).Result);
    }

    [Fact]
    public async Task Handler_WithADefault_HasItForAnAbsentInput()
    {
        Application.Flow("count", (int count = 3) => count);
        Application.Flow("color", (Color color = Color.Green) => color);
        Application.Flow("name", (string? name = "default") => name);
        Application.Flow("optional", (int? number) => number);
        Application.Flow("nullable", (string? text) => text);
        Application.Flow("needed", (string text) => text);

        Assert.Equal("3", (await Caller.RunAsync("/flow/count")).Result);
        Assert.Equal("\"green\"", (await Caller.RunAsync("/flow/color")).Result);
        Assert.Equal("\"default\"", (await Caller.RunAsync("/flow/name")).Result);
        Assert.Equal("null", (await Caller.RunAsync("/flow/name", "null")).Result);
        Assert.Equal("null", (await Caller.RunAsync("/flow/optional")).Result);
        Assert.Equal("null", (await Caller.RunAsync("/flow/nullable")).Result);
        Assert.Equal((3, "the input is missing; it must be a string"), (await Caller.RunAsync("/flow/needed")).Failure);
        Assert.Equal((3, "the input must be a string"), (await Caller.RunAsync("/flow/needed", "null")).Failure);
    }

    [Fact]
    public async Task Chunks_ThatNobodyWants_AreNotSent()
    {
        Application.Flow("flow", async (ActionRunContext context) =>
        {
            await context.SendChunkAsync("chunk");
            return context.StreamingRequested;
        });

        var outcome = await Caller.RunAsync("/flow/flow", stream: false);

        Assert.Empty(outcome.Chunks);
        Assert.Equal("false", outcome.Result);
    }

    [Fact]
    public async Task RawJson_KeepsItsBytes()
    {
        Application.Flow("echo", async (RawJson input, ActionRunContext context) =>
        {
            await context.SendChunkAsync(input);
            return input;
        });
        Application.Flow("part", (Envelope input) => input);

        var outcome = await Caller.RunAsync("/flow/echo", Exact);

        Assert.Equal([Exact], outcome.Chunks);
        Assert.Equal(Exact, outcome.Result);
        Assert.Equal($$"""{"letter":{{Exact}}}""", (await Caller.RunAsync("/flow/part", $$"""{"letter": {{Exact}} }""")).Result);
    }

    [Fact]
    public async Task Result_AbsentNullAndNothing_AreToldApart()
    {
        Application.Flow("echo", (ActionRunContext context) => context.InputJson);
        Application.Flow("null", () => (string?)null);
        Application.Flow("nothing", () => { });
        Application.Flow("task", () => Task.CompletedTask);
        Application.Flow("value-task", () => ValueTask.CompletedTask);

        Assert.Null((await Caller.RunAsync("/flow/echo")).Result);
        Assert.Equal("null", (await Caller.RunAsync("/flow/echo", "null")).Result);
        Assert.Equal("null", (await Caller.RunAsync("/flow/null")).Result);
        foreach (var name in (string[])["nothing", "task", "value-task"])
        {
            var outcome = await Caller.RunAsync($"/flow/{name}");
            Assert.True(outcome.HasResult);
            Assert.Null(outcome.Result);
        }
    }

    [Fact]
    public async Task Run_SaysWhatItWasGiven_InAnyDepth()
    {
        Application.Flow("inspect", () => Inspect());
        Application.Flow("inspect-async", async () =>
        {
            await Task.Yield();
            return Inspect();
        });
        var metadata = new Dictionary<string, string> { ["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ["x-custom"] = "value" };
        foreach (var key in (string[])["/flow/inspect", "/flow/inspect-async"])
        {
            var request = Caller.RequestOf(key);
            request.InitJson = ByteString.CopyFromUtf8("""{"a":1}""");
            request.ContextJson = ByteString.CopyFromUtf8("""{"auth":{"uid":"ada"}}""");
            request.TelemetryLabels["label"] = "value";

            var outcome = await Caller.RunAsync(request, metadata);

            Assert.Equal(
                $$$"""{"key":"{{{key}}}","init":{"a":1},"context":{"auth":{"uid":"ada"}},"labels":{"label":"value"},"trace":{"traceparent":"{{{metadata["traceparent"]}}}"},"custom":"value"}""",
                outcome.Result);
        }

        Assert.Null(ActionRunContext.Current);

        static object Inspect()
        {
            var run = ActionRunContext.Current!;
            return new
            {
                key = run.Key,
                init = run.GetInit<Dictionary<string, int>>(),
                context = run.GetContext<JsonElement>(),
                labels = run.TelemetryLabels,
                trace = run.TraceHeaders,
                custom = run.Metadata["x-custom"].ToString(),
            };
        }
    }

    [Fact]
    public async Task Init_ThatIsAbsentOrWrong_IsDefaultOrRefused()
    {
        Application.Flow("init", (ActionRunContext context) => context.GetInit<Dictionary<string, int>>());
        var wrong = Caller.RequestOf("/flow/init");
        wrong.InitJson = ByteString.CopyFromUtf8("""{"a":"b"}""");

        Assert.Equal("null", (await Caller.RunAsync("/flow/init")).Result);
        Assert.Equal((3, "\"a\" must be an integer"), (await Caller.RunAsync(wrong)).Failure);
    }

    [Fact]
    public async Task Activity_OfAHandler_IsTheOneOfTheRequestInTheCallersTrace()
    {
        var seen = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = activity =>
            {
                // Ignore those that other tests of this process create.
                if (activity.ParentSpanId.ToHexString() == "b7ad6b7169203331")
                {
                    seen.Add(activity.SpanId.ToHexString());
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        Application.Flow("trace", () => new { trace = $"{Activity.Current?.TraceId}", span = $"{Activity.Current?.SpanId}", parent = $"{Activity.Current?.ParentSpanId}" });

        var outcome = await Caller.RunAsync(
            Caller.RequestOf("/flow/trace"), new Dictionary<string, string> { ["traceparent"] = "00-0bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });

        Assert.Equal("0bf7651916cd43dd8448eb211c80319c", outcome.Value.GetProperty("trace").GetString());
        Assert.Equal("b7ad6b7169203331", outcome.Value.GetProperty("parent").GetString());
        Assert.Equal(outcome.Value.GetProperty("span").GetString(), Assert.Single(seen));
    }

    [Fact]
    public async Task State_ComesFirst()
    {
        Application.Flow("state", async (ActionRunContext context) =>
        {
            await context.SendStateAsync("0af7651916cd43dd8448eb211c80319c");
            return "done";
        });

        var outcome = await Caller.RunAsync("/flow/state");

        Assert.Equal(["0af7651916cd43dd8448eb211c80319c"], outcome.States);
        Assert.Equal("\"done\"", outcome.Result);
    }

    [Fact]
    public async Task ActionError_KeepsCodeMessageAndDetails_AndHasAStack()
    {
        Application.Flow("fail", Fail);

        var outcome = await Caller.RunAsync("/flow/fail");

        Assert.Equal(["1"], outcome.Chunks);
        Assert.Equal((10, "as asked"), outcome.Failure);
        Assert.Equal("""{"reason":"test"}""", outcome.Error!.DetailsJson.ToStringUtf8());
        Assert.Contains(nameof(Fail), outcome.Error.Stack, StringComparison.Ordinal);

        static async Task Fail(ActionRunContext context)
        {
            await context.SendChunkAsync(1);
            throw new ActionError(StatusCode.Aborted, "as asked", new JsonObject { ["reason"] = "test" });
        }
    }

    [Theory]
    [InlineData("unforeseen", 13, "gone")]
    [InlineData("late", 4, "too late")]
    [InlineData("late-request", 4, "too late")]
    [InlineData("late-while-blocking", 4, "too late")]
    [InlineData("unfinished", 12, "not yet")]
    [InlineData("no-json", 13, null)]
    [InlineData("cycle", 13, null)]
    [InlineData("no-json-in-details", 13, null)]
    public async Task Exception_GetsTheCodeThatSaysWhatItIs(string what, int code, string? message)
    {
        Application.Flow("unforeseen", Task (string input) => throw new KeyNotFoundException("gone"));
        Application.Flow("late", Task (string input) => throw new TimeoutException("too late"));
        Application.Flow("late-request", Task (string input) => throw new TaskCanceledException("too late", new TimeoutException()));
        Application.Flow("late-while-blocking", (string input) => Task.FromException<int>(new TimeoutException("too late")).Result);
        Application.Flow("unfinished", int (string input) => throw new NotImplementedException("not yet"));
        Application.Flow("no-json", (string input) => double.PositiveInfinity);
        Application.Flow("no-json-in-details", int (string input) => throw new ActionError(StatusCode.Aborted, "lost", new JsonObject { ["ratio"] = double.NaN }));
        Application.Flow("cycle", (string input) =>
        {
            var cycle = new List<object>();
            cycle.Add(cycle);
            return cycle;
        });

        var outcome = await Caller.RunAsync($"/flow/{what}", "\"secret\"");

        Assert.Equal(code, outcome.Error!.Code);
        Assert.Equal(message ?? outcome.Error.Message, outcome.Error.Message);
        Assert.NotEmpty(outcome.Error.Stack);
        var entry = Assert.Single(Logs.Entries);
        Assert.DoesNotContain("secret", $"{entry}", StringComparison.Ordinal);
        AssertLogged($"The action /flow/{what} failed");
    }

    [Fact]
    public async Task Handler_ThatIsCancelledByItself_IsCancelled()
    {
        Application.Flow("cancels-itself", Task () => throw new OperationCanceledException());

        Assert.Equal((1, "Action was cancelled"), (await Caller.RunAsync("/flow/cancels-itself")).Failure);
    }

    [Fact]
    public async Task RpcException_OfAHandler_EndsTheCall()
    {
        Application.Flow("fail", Task () => throw new RpcException(new Status(StatusCode.DataLoss, "as asked")));
        await using var call = await Caller.StartAsync("/flow/fail");

        Assert.Null(await call.ReadAsync(V1.RunActionResponse.Parser));

        Assert.Equal((15, "as asked"), call.Status);
    }

    [Fact]
    public async Task RpcException_ThatABlockingHandlerHasWaitedFor_EndsTheCall()
    {
        Application.Flow("fail", () => Task.FromException<int>(new RpcException(new Status(StatusCode.Unavailable, "below"))).Result);
        await using var call = await Caller.StartAsync("/flow/fail");

        Assert.Null(await call.ReadAsync(V1.RunActionResponse.Parser));

        Assert.Equal((14, "below"), call.Status);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    public void ActionError_OfACodeThatIsNone_IsRefused(int code) => Assert.Throws<ArgumentOutOfRangeException>(() => new ActionError((StatusCode)code, "none"));

    [Fact]
    public async Task Key_ThatNobodyKnows_IsNotFound() => Assert.Equal((5, "action /flow/unknown not found"), (await Caller.RunAsync("/flow/unknown")).Failure);

    [Theory]
    [InlineData("waiting")]
    [InlineData("blocking")]
    [InlineData("endless")]
    [InlineData("streamed")]
    public async Task Cancellation_OfTheCall_ReachesTheHandlerWhereverItWaits(string name)
    {
        using var cancelled = new SemaphoreSlim(0);
        Application.Flow("waiting", async (ActionRunContext context) =>
        {
            await context.SendChunkAsync("waiting");
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                cancelled.Release();
            }
        });
        Application.Flow("blocking", (ActionRunContext context, CancellationToken cancellationToken) =>
        {
            context.SendChunkAsync("waiting").AsTask().Wait(cancellationToken);
            cancellationToken.WaitHandle.WaitOne();
            cancelled.Release();
            context.SendChunkAsync("too late").AsTask().Wait(CancellationToken.None);
        });
        Application.Flow("endless", Endless);
        Application.Flow("streamed", async (IAsyncEnumerable<string> chunks, ActionRunContext context) =>
        {
            await context.SendChunkAsync("waiting");
            try
            {
                await chunks.FirstAsync();
            }
            finally
            {
                cancelled.Release();
            }
        });

        await using var call = name == "streamed" ? await Caller.StartBidiAsync($"/flow/{name}") : await Caller.StartAsync($"/flow/{name}");
        await Caller.ReadChunkAsync(call);
        call.Cancel();
        await cancelled.WaitAsync(TestContext.Current.CancellationToken);

        async IAsyncEnumerable<string> Endless()
        {
            try
            {
                while (true)
                {
                    await Task.Yield();
                    yield return "waiting";
                }
            }
            finally
            {
                cancelled.Release();
            }
        }
    }

    [Fact]
    public async Task Deadline_OfTheCall_CancelsTheHandler()
    {
        var cancelled = new TaskCompletionSource();
        Application.Flow("wait", async (ActionRunContext context) =>
        {
            await using var noted = context.CancellationToken.Register(cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        });
        await using var call = Caller.Start(Caller.Service + "RunAction", new Dictionary<string, string> { ["grpc-timeout"] = "100m" });
        await call.WriteAsync(Caller.RequestOf("/flow/wait"));
        call.Complete();

        Assert.Null(await call.ReadAsync(V1.RunActionResponse.Parser));

        Assert.Equal(4, call.Status.Code);
        await cancelled.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cancellation_OfARunWhoseChunksNobodyWants_EndsItsEnumeration()
    {
        var started = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        Application.Flow("endless", Endless);

        await using var call = Caller.Start(Caller.Service + "RunAction");
        await call.WriteAsync(Caller.RequestOf("/flow/endless", stream: false));
        call.Complete();
        await started.Task;
        call.Cancel();
        await ended.Task;

        async IAsyncEnumerable<string> Endless()
        {
            try
            {
                while (true)
                {
                    await Task.Yield();
                    started.TrySetResult();
                    yield return "unwanted";
                }
            }
            finally
            {
                ended.SetResult();
            }
        }
    }

    [Fact]
    public async Task Token_OfARunThatHasEndedWell_IsNotCancelled()
    {
        var token = CancellationToken.None;
        var wasCancelled = false;
        Application.Flow("flow", (ActionRunContext context) =>
        {
            token = context.CancellationToken;
            token.Register(() => wasCancelled = true);
        });

        await Caller.RunAsync("/flow/flow");
        await Caller.RunAsync("/flow/flow");

        Assert.False(wasCancelled);
    }

    [Fact]
    public async Task Caller_ThatDoesNotRead_MakesTheHandlerWait()
    {
        var sent = 0;
        var cancelled = new TaskCompletionSource();
        Application.Flow("large", async (ActionRunContext context) =>
        {
            try
            {
                for (var count = 0; count < 2000; count++)
                {
                    await context.SendChunkAsync(new string('x', 65536));
                    Interlocked.Increment(ref sent);
                }
            }
            catch (OperationCanceledException)
            {
                cancelled.SetResult();
                throw;
            }
        });
        Application.Flow("small", () => Task.CompletedTask);
        await using var call = await Caller.StartAsync("/flow/large");
        await Caller.ReadChunkAsync(call);

        // Without backpressure, all chunks would be sent by then.
        for (var count = 0; count < 100; count++)
        {
            await Caller.RunAsync("/flow/small");
        }

        Assert.InRange(sent, 0, 1999);
        call.Cancel();
        await cancelled.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Runs_ThatBlock_MeetAll64()
    {
        using var barrier = new Barrier(64);
        Application.Flow("meet", (CancellationToken cancellationToken) => barrier.SignalAndWait(cancellationToken));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Caller.RunAsync("/flow/meet")));

        Assert.All(outcomes, outcome => Assert.True(outcome.HasResult));
    }

    [Fact]
    public async Task Chunks_SentAtTheSameTime_AllArrive()
    {
        Application.Flow("many", async (ActionRunContext context) =>
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(number => Task.Run(async () => await context.SendChunkAsync(number))));
        });

        var outcome = await Caller.RunAsync("/flow/many");

        Assert.Equal(Enumerable.Range(0, 100), outcome.Chunks.Select(chunk => int.Parse(chunk, null)).Order());
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task StreamedInput_ReachesEveryShapeOfHandler(string shape)
    {
        var action = Application.Flow(shape, s_streams[shape]);

        Assert.True(action.IsBidi);
        var outcome = await Caller.RunBidiAsync($"/flow/{shape}", ["1", "2", "3"]);
        Assert.Equal(["1", "2", "3"], outcome.Chunks);
        Assert.Equal("6", outcome.Result);
        Assert.Equal("5", (await Caller.RunAsync($"/flow/{shape}", "5")).Result);
        Assert.Equal("0", (await Caller.RunAsync($"/flow/{shape}")).Result);
    }

    [Fact]
    public async Task StreamedInput_NeedsNoEnd_AndOutputNeedsNoInput()
    {
        Application.Flow("first", async (IAsyncEnumerable<RawJson> chunks, ActionRunContext context) =>
        {
            await context.SendChunkAsync("early");
            return await chunks.FirstAsync();
        });
        await using var call = await Caller.StartBidiAsync("/flow/first");

        Assert.Equal("\"early\"", await Caller.ReadChunkAsync(call));
        await call.WriteAsync(Caller.ChunkOf(Exact));

        Assert.Equal(Exact, (await call.ReadAsync(V1.RunActionResponse.Parser))!.Result.ResultJson.ToStringUtf8());
        Assert.Null(await call.ReadAsync(V1.RunActionResponse.Parser));
    }

    [Fact]
    public async Task StreamedInput_OfTheWrongType_FailsTheRun()
    {
        Application.Flow("total", async (IAsyncEnumerable<Dictionary<string, int>> numbers) => await numbers.Select(number => number["n"]).SumAsync());

        Assert.Equal((3, "\"n\" must be an integer"), (await Caller.RunBidiAsync("/flow/total", ["""{"n":1}""", """{"n":"two"}"""])).Failure);
        Assert.Equal((3, "input chunk 1 must be an object"), (await Caller.RunBidiAsync("/flow/total", ["null"])).Failure);
    }

    [Fact]
    public async Task ActionOfOneInput_InAStreamedRun_HasThatOfTheStart()
    {
        Application.Flow("double", (int number) => 2 * number);

        Assert.Equal("42", (await Caller.RunBidiAsync("/flow/double", ["1"], "21")).Result);
        Assert.Equal((3, "the input is missing; it must be an integer"), (await Caller.RunBidiAsync("/flow/double", ["1"])).Failure);
    }

    [Fact]
    public async Task BidiCall_WithoutStart_IsRefused()
    {
        await using var call = Caller.Start(Caller.Service + "RunBidiAction");
        await call.WriteAsync(Caller.ChunkOf("1"));

        Assert.Null(await call.ReadAsync(V1.RunActionResponse.Parser));

        Assert.Equal(3, call.Status.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Chunk_BehindTheEnd_IsRefused(bool fails)
    {
        var kept = new TaskCompletionSource<ActionRunContext>();
        Application.Flow("flow", (ActionRunContext context) =>
        {
            kept.SetResult(context);
            return fails ? throw new ActionError(StatusCode.Aborted, "as asked") : 1;
        });
        await Caller.RunAsync("/flow/flow");
        var context = await kept.Task;

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(async () => await context.SendChunkAsync("late"));

        Assert.Contains("has ended", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_OverFourMebibytes_Pass()
    {
        Application.Flow("echo", (RawJson input) => input);
        var large = $"\"{new string('x', 8 << 20)}\"";

        Assert.Equal(large, (await Caller.RunAsync("/flow/echo", large)).Result);
    }

    private static async ValueTask<int> ValueTaskAsync(int input, ActionRunContext context)
    {
        await context.SendChunkAsync("chunk");
        return input + 1;
    }

    private enum Color
    {
        Red,
        Green,
    }

    private sealed record Envelope(RawJson Letter);

    private sealed class Adder(int number)
    {
        public async Task<int> AddAsync(int input, ActionRunContext context)
        {
            await context.SendChunkAsync("chunk");
            return input + number;
        }
    }
}
