using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Genkit.Sidecar.Client;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace StreamingQuery.Tests;

/// <summary>Tests the translation of events with scripted agents.</summary>
public sealed class StreamingQueryFlowTests
{
    private const string Token = """{"type": "message.delta", "text": "a"}""";
    private const string TokenSent = """{"event":"token","text":"a"}""";
    private const string Completed = """{"type": "run.completed", "usage": {"input": 1, "output": 2}}""";
    private const string End =
        """{"event":"end","referenced_documents":[],"usage":{"input_tokens":1,"output_tokens":2},"truncated":false,"available_quotas":{}}""";

    private static readonly TimeSpan s_never = Timeout.InfiniteTimeSpan;

    private readonly RecordedLog<Translation> _log = new();
    private readonly List<string> _sent = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        """{"type": "guardrail.checked", "guardrail": "pii", "flagged": true, "reason": "a name"}""",
        """{"event":"shield","name":"pii","verdict":"blocked","reason":"a name"}""")]
    [InlineData("""{"type": "guardrail.checked", "guardrail": "pii", "flagged": false}""", """{"event":"shield","name":"pii","verdict":"passed","reason":null}""")]
    [InlineData(Token, TokenSent)]
    [InlineData("""{"text": "ab", "type": "message.completed"}""", """{"event":"turn_complete","text":"ab"}""")]
    [InlineData(
        """{"type": "tool.started", "id": "1", "name": "get", "arguments": {"a": [1]}}""", """{"event":"tool_call","id":"1","name":"get","arguments":{"a":[1]}}""")]
    [InlineData("""{"type": "tool.finished", "id": "1", "ok": true, "output": "x"}""", """{"event":"tool_result","id":"1","status":"success","content":"x"}""")]
    [InlineData("""{"type": "tool.finished", "id": "1", "ok": false, "output": "x"}""", """{"event":"tool_result","id":"1","status":"failure","content":"x"}""")]
    public async Task Answer_EventOfTheAgent_IsTranslated(string raw, string sent)
    {
        await AnswerAsync(Saying(raw, Completed));

        Assert.Equal([sent, End], _sent);
    }

    [Fact]
    public async Task Answer_Completed_EndsWithTheEndThatIsTheResult()
    {
        var end = await AnswerAsync(Saying(
            """{"type": "run.completed", "usage": {"input": 1, "output": 2}, "documents": [{"url": "u", "title": "t", "score": 1}], "truncated": true, "quotas": {"day": 3}}""",
            Token));

        var sent = Assert.Single(_sent);
        Assert.Equal(
            """{"event":"end","referenced_documents":[{"url":"u","title":"t"}],"usage":{"input_tokens":1,"output_tokens":2},"truncated":true,"available_quotas":{"day":3}}""",
            sent);
        Assert.Equal(sent, JsonSerializer.Serialize(end, StreamingQueryJson.Default.EndEvent));
    }

    [Fact]
    public async Task Answer_AgentSaysThatItFailed_EndsWithTheErrorThatIsTheRuns()
    {
        var error = await Assert.ThrowsAsync<ActionError>(() => AnswerAsync(Saying(
            Token, """{"type": "run.failed", "code": "quota_exceeded", "message": "used up"}""", Completed)));

        Assert.Equal([TokenSent, """{"event":"error","code":8,"message":"used up"}"""], _sent);
        Assert.Equal((StatusCode.ResourceExhausted, "used up"), (error.Code, error.Message));
    }

    [Fact]
    public async Task Answer_AgentFailsByItself_KeepsTheReason()
    {
        static async IAsyncEnumerable<JsonElement> ThrowingAsync(string question, string conversationId, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            yield return JsonElement.Parse(Token);
            throw new HttpRequestException("10.0.0.1 refused the password");
        }

        foreach (var agent in (Agent[])[ThrowingAsync, Saying(Token, """{"type": "run.failed", "code": "oops", "message": "10.0.0.1"}""")])
        {
            _sent.Clear();

            var error = await Assert.ThrowsAsync<ActionError>(() => AnswerAsync(agent));

            Assert.Equal([TokenSent, """{"event":"error","code":13,"message":"the agent failed"}"""], _sent);
            Assert.Equal((StatusCode.Internal, "the agent failed"), (error.Code, error.Message));
        }

        Assert.Equal([LogLevel.Error, LogLevel.Error], _log.Lines.Select(line => line.Level));
    }

    [Fact]
    public async Task Answer_AgentBreaksOff_IsAnError()
    {
        var error = await Assert.ThrowsAsync<ActionError>(() => AnswerAsync(Saying()));

        Assert.Equal(["""{"event":"error","code":14,"message":"the agent ended without a final event"}"""], _sent);
        Assert.Equal((StatusCode.Unavailable, "the agent ended without a final event"), (error.Code, error.Message));
    }

    [Fact]
    public async Task Answer_UnknownEvents_AreCountedAndLoggedWithoutTheirPayload()
    {
        var counted = new List<string>();
        using var meter = new MeterListener();
        meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Translation.Meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meter.SetMeasurementEventCallback<long>((_, count, tags, _) => counted.AddRange(Enumerable.Repeat((string)tags[0].Value!, (int)count)));
        meter.Start();

        await AnswerAsync(Saying(
            """{"type": "thought\n", "text": "secret"}""", """{"type": "message.delta", "token": "secret"}""", """{"text": "secret"}""", "\"secret\"", Completed));

        Assert.Equal([End], _sent);
        Assert.Equal(["thought?", "message.delta", "none", "none"], counted);
        Assert.Equal(counted.Select(type => (LogLevel.Warning, $"Ignored an unrecognized event of type '{type}' from the agent.")), _log.Lines);
    }

    [Fact]
    public async Task Answer_Conversation_GoesOn()
    {
        var asked = new List<(string, string)>();
        IAsyncEnumerable<JsonElement> Asked(string question, string conversationId, CancellationToken cancellationToken)
        {
            asked.Add((question, conversationId));
            return Saying(Completed)(question, conversationId, cancellationToken);
        }

        await AnswerAsync(Asked, new Query("first"));
        await AnswerAsync(Asked, new Query("second", asked[0].Item2));
        await AnswerAsync(Asked, new Query("third", ""));

        Assert.Equal(asked[0].Item2, asked[1].Item2);
        Assert.NotEqual(asked[0].Item2, asked[2].Item2);
    }

    [Fact]
    public async Task Answer_AgentThinks_SendsHeartbeats()
    {
        var seen = new TaskCompletionSource();
        async IAsyncEnumerable<JsonElement> ThinkingAsync(string question, string conversationId, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return JsonElement.Parse(Token);
            await seen.Task.WaitAsync(cancellationToken);
            yield return JsonElement.Parse(Completed);
        }

        await AnswerAsync(ThinkingAsync, heartbeat: TimeSpan.FromMilliseconds(1), onSent: sent =>
        {
            if (sent is HeartbeatEvent)
            {
                seen.TrySetResult();
            }
        });

        Assert.Equal([TokenSent, End], _sent.Where(sent => sent != """{"event":"heartbeat"}"""));
        Assert.Contains("""{"event":"heartbeat"}""", _sent);
    }

    [Fact]
    public async Task Answer_Cancelled_StopsTheAgent()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var stopped = false;
        async IAsyncEnumerable<JsonElement> StuckAsync(string question, string conversationId, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            try
            {
                yield return JsonElement.Parse(Token);
                await cancel.CancelAsync();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                stopped = true;
            }
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AnswerAsync(StuckAsync, cancellationToken: cancel.Token));

        Assert.True(stopped);
        Assert.Equal([TokenSent], _sent);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task Answer_ReaderLeaves_StopsTheAgent()
    {
        var stopped = false;
        async IAsyncEnumerable<JsonElement> EndlessAsync(string question, string conversationId, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            try
            {
                while (true)
                {
                    yield return JsonElement.Parse(Token);
                    await Task.Yield();
                }
            }
            finally
            {
                stopped = true;
            }
        }

        await Assert.ThrowsAsync<OperationCanceledException>(() => AnswerAsync(EndlessAsync, onSent: _ =>
        {
            if (_sent.Count == 3)
            {
                throw new OperationCanceledException();
            }
        }));

        Assert.True(stopped);
    }

    [Fact]
    public async Task ScriptedAgent_ItsScript_HasEveryEvent()
    {
        using var scripts = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "scripts.json"), Cancellation));
        var agent = new ScriptedAgent(scripts.RootElement, NullLogger<ScriptedAgent>.Instance);
        await AnswerAsync(agent.AnswerAsync, new Query("Why does my pod not start?"));
        await Assert.ThrowsAsync<ActionError>(() => AnswerAsync(agent.AnswerAsync, new Query("How do I get more of everything?")));
        await Assert.ThrowsAsync<ActionError>(() => AnswerAsync(agent.AnswerAsync, new Query("unheard of")));

        Assert.Equal(
            ["end", "error", "shield", "token", "tool_call", "tool_result", "turn_complete"],
            _sent.Select(sent => (string?)JsonNode.Parse(sent)!["event"]).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Flow_Listed_HasTheSchemaOfItsEventsAndOfItsEnd()
    {
        var application = new Application();
        new StreamingQueryFlow(Saying(), new Translation(_log), s_never, TimeProvider.System).AddTo(application);

        var flow = Assert.Single(application.Actions);

        var events = flow.StreamSchema!["anyOf"]!.AsArray();
        Assert.Equal("start", (string?)events[0]!["properties"]!["event"]!["const"]);
        Assert.True(JsonNode.DeepEquals(events[^1], Assert.Single(flow.OutputSchema!["anyOf"]!.AsArray())));
        Assert.Equal(["query"], flow.InputSchema!["required"]!.AsArray().Select(name => (string?)name));
    }

    private static Agent Saying(params string[] events)
    {
        return SayAsync;

        async IAsyncEnumerable<JsonElement> SayAsync(string question, string conversationId, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var said in events)
            {
                await Task.Yield();
                yield return JsonElement.Parse(said);
            }
        }
    }

    /// <summary>Runs the flow and keeps the events after the start event, which must come first.</summary>
    private async Task<EndEvent> AnswerAsync(
        Agent agent, Query? query = null, TimeSpan? heartbeat = null, Action<Event>? onSent = null, CancellationToken? cancellationToken = null)
    {
        var started = false;
        var flow = new StreamingQueryFlow(agent, new Translation(_log), heartbeat ?? s_never, TimeProvider.System);
        return await flow.AnswerAsync(query ?? new Query("?"), SendAsync, cancellationToken ?? Cancellation);

        ValueTask SendAsync(Event sent)
        {
            if (!started)
            {
                Assert.IsType<StartEvent>(sent);
                started = true;
                return ValueTask.CompletedTask;
            }

            _sent.Add(JsonSerializer.Serialize(sent, StreamingQueryJson.Default.Event));
            onSent?.Invoke(sent);
            return ValueTask.CompletedTask;
        }
    }
}
