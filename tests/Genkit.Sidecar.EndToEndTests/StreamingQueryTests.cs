using System.Text.Json;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The worked example of a streaming query flow, under the real CLI and behind the flow server.</summary>
public sealed class StreamingQueryTests : EndToEndTest
{
    private const string Start = """{"event": "start", "conversation_id": "c-1"}""";
    private const string Completed = """{"type": "run.completed", "usage": {"input": 1, "output": 2}}""";
    private const string End =
        """{"event": "end", "referenced_documents": [], "usage": {"input_tokens": 1, "output_tokens": 2}, "truncated": false, "available_quotas": {}}""";

    // The example's own answer to its first question.
    private static readonly string[] s_answer =
    [
        Start,
        """{"event": "shield", "name": "question-validity", "verdict": "passed", "reason": null}""",
        """{"event": "tool_call", "id": "call-1", "name": "list_pods", "arguments": {"namespace": "shop"}}""",
        """{"event": "tool_result", "id": "call-1", "status": "success", "content": "cart-7d9f Pending: 0/3 nodes have enough memory"}""",
        """{"event": "token", "text": "No node has "}""",
        """{"event": "token", "text": "enough memory."}""",
        """{"event": "turn_complete", "text": "No node has enough memory."}""",
        """
        {
          "event": "end",
          "referenced_documents": [{"url": "https://kubernetes.io/docs/concepts/scheduling-eviction/", "title": "Scheduling, Preemption and Eviction"}],
          "usage": {"input_tokens": 321, "output_tokens": 6},
          "truncated": false,
          "available_quotas": {"tokens-per-day": 9673}
        }
        """,
    ];

    private static readonly string[] s_failure =
    [
        Start,
        """{"event": "token", "text": "You"}""",
        """{"event": "error", "code": 8, "message": "the quota of tokens-per-day is used up"}""",
    ];

    public static TheoryData<string> Languages => StreamingQueryExample.Languages;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Languages))]
    public async Task FlowRun_Question_PrintsEachEventAndTheLastOneAsTheResult(string language)
    {
        var printed = await RunAsync(StreamingQueryExample.In(language).Program, "Why does my pod not start?", "--stream");

        AssertEvents(s_answer, StreamingQueryExample.EventsIn(printed));
        AssertEvents([s_answer[^1]], StreamingQueryExample.EventsIn(printed[printed.IndexOf("Result:\n", StringComparison.Ordinal)..].Split("Trace ID:")[0]));
    }

    [Theory, MemberData(nameof(Languages))]
    public async Task FlowRun_AgentFailsInMidStream_PrintsTheErrorLastAndFailsWithIt(string language)
    {
        var printed = await RunAsync(StreamingQueryExample.In(language).Program, "How do I get more of everything?", "--stream");

        AssertEvents(s_failure, StreamingQueryExample.EventsIn(printed));
        Assert.Contains("Code: 8\n", printed, StringComparison.Ordinal);
        Assert.Contains("Message: the quota of tokens-per-day is used up\n", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("Result:", printed, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Languages))]
    public async Task FlowRun_UnknownEvent_IsWarnedOfAndLeftOut(string language)
    {
        var application = StreamingQueryExample.In(language).Saying(Workspace, """{"type": "telepathy", "text": "secret"}""", Completed);

        var printed = await RunAsync(application, "?", "--stream");

        AssertEvents([Start, End], StreamingQueryExample.EventsIn(printed));
        var log = Workspace.SidecarLog.ToString();
        Assert.Matches("(?im)^warn.*event of type 'telepathy'", log);
        Assert.DoesNotContain("secret", log, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Languages))]
    public async Task FlowServer_Question_SendsEachEventAndTheResult(string language)
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, StreamingQueryExample.In(language).Program);

        var events = await ReadAsync(server, "Why does my pod not start?");

        AssertEvents([.. s_answer.Select(Message), $$"""{"result": {{s_answer[^1]}}}"""], events);
    }

    [Theory, MemberData(nameof(Languages))]
    public async Task FlowServer_AgentFailsInMidStream_SendsTheErrorTwice(string language)
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, StreamingQueryExample.In(language).Program);

        var events = await ReadAsync(server, "How do I get more of everything?");

        AssertEvents([.. s_failure.Select(Message)], events.Take(s_failure.Length));
        var error = Assert.Single(events.Skip(s_failure.Length)).GetProperty("error");
        Assert.Equal("RESOURCE_EXHAUSTED", error.GetProperty("status").GetString());
        Assert.Equal("the quota of tokens-per-day is used up", error.GetProperty("message").GetString());
    }

    [Theory, MemberData(nameof(Languages))]
    public async Task FlowServer_AgentThinks_SendsHeartbeatsUntilTheClientLeavesAndThenStopsIt(string language)
    {
        var (sidecar, server) = await FlowServers.StartSidecarAsync(Workspace, [.. StreamingQueryExample.In(language).Program, "--heartbeat", "0.01"]);
        using (var http = new HttpClient())
        using (var request = Request(server, "What do you think of it?"))
        using (var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation))
        using (var stream = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation)))
        {
            foreach (var expected in (string[])[Start, """{"event": "heartbeat"}""", """{"event": "heartbeat"}"""])
            {
                AssertEvents([Message(expected)], [await EventAsync(stream)]);
            }
        }

        await sidecar.Errors.FirstAsync(line => line.Contains("The agent was stopped in conversation c-1.", StringComparison.Ordinal), "the end of the agent");
    }

    [Theory, MemberData(nameof(Languages))]
    public async Task Flow_Listed_DeclaresTheSchemaOfEachEvent(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Workspace.Start(SidecarCommand.Run(Workspace, StreamingQueryExample.In(language).Program, "--manager", manager.Url));
        await manager.RuntimeAddedAsync();

        var flow = (await manager.ListActionsAsync()).GetProperty("/flow/streaming_query");

        var schema = flow.GetProperty("metadata").GetProperty("streamSchema");
        var events = schema.GetProperty("anyOf").EnumerateArray().ToList();
        Assert.Equal(
            ["start", "shield", "token", "tool_call", "tool_result", "turn_complete", "heartbeat", "error", "end"],
            events.Select(branch => branch.GetProperty("properties").GetProperty("event").GetProperty("const").GetString()));
        Assert.All(events, branch => Assert.Equal(
            branch.GetProperty("properties").EnumerateObject().Select(member => member.Name),
            Required(schema).Concat(Required(branch))));

        static IEnumerable<string?> Required(JsonElement schema) =>
            schema.TryGetProperty("required", out var names) ? names.EnumerateArray().Select(name => name.GetString()) : [];
    }

    private static string Message(string chunk) => $$"""{"message": {{chunk}}}""";

    private static HttpRequestMessage Request(Uri server, string question) =>
        FlowServers.Request(server, "streaming_query", $$"""{"data": {{Input(question)}}}""", "text/event-stream");

    // Continues an earlier conversation, so that its id is known.
    private static string Input(string question) => $$"""{"query": "{{question}}", "conversation_id": "c-1"}""";

    private static async Task<IReadOnlyList<JsonElement>> ReadAsync(Uri server, string question)
    {
        using var http = new HttpClient { Timeout = Timeouts.Default };
        using var request = Request(server, question);
        using var response = await http.SendAsync(request, Cancellation);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        var events = new List<JsonElement>();
        while (stream.Peek() >= 0)
        {
            events.Add(await EventAsync(stream));
        }

        return events;
    }

    private static async Task<JsonElement> EventAsync(StreamReader stream)
    {
        const string Data = "data: ";
        var line = await stream.ReadLineAsync(Cancellation).AsTask().WaitAsync(Timeouts.Default, Cancellation);
        Assert.StartsWith(Data, line, StringComparison.Ordinal);
        Assert.Equal("", await stream.ReadLineAsync(Cancellation).AsTask().WaitAsync(Timeouts.Default, Cancellation));
        return JsonSerializer.Deserialize<JsonElement>(line![Data.Length..]);
    }

    private static void AssertEvents(string[] expected, IEnumerable<JsonElement> actual)
    {
        var events = actual.ToList();
        Assert.True(expected.Length == events.Count, $"There are {events.Count} instead of {expected.Length} events:\n{string.Join('\n', events)}");
        foreach (var (json, element) in expected.Zip(events))
        {
            JsonAssert.Equal(json, element);
        }
    }

    private Task<string> RunAsync(IEnumerable<string> application, string question, params IEnumerable<string> options) =>
        GenkitCli.RunAsync(Workspace, ["flow:run", "streaming_query", Input(question), .. options, "--", .. SidecarCommand.Run(Workspace, application)]);
}
