using System.Text.Json.Nodes;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Tests.Otlp;

namespace Genkit.Sidecar.Tests.GenAi;

public class GenAiSpanTests
{
    private readonly Spans _spans = new();

    [Fact]
    public void Chat_OfTheNewestConventions_IsAModelWithMessages()
    {
        var attributes = _spans.MappedAttributes(
            Spans.Pair("gen_ai.operation.name", "chat"),
            Spans.Pair("gen_ai.provider.name", "openai"),
            Spans.Pair("gen_ai.request.model", "gpt-5"),
            Spans.Pair("gen_ai.request.temperature", new AnyValue { DoubleValue = 0.5 }),
            Spans.Pair("gen_ai.request.max_tokens", new AnyValue { IntValue = 200 }),
            Spans.Pair("gen_ai.usage.input_tokens", new AnyValue { IntValue = 5 }),
            Spans.Pair("gen_ai.usage.output_tokens", new AnyValue { IntValue = 7 }),
            Spans.Pair("gen_ai.system_instructions", """[{"type": "text", "content": "be brief"}]"""),
            Spans.Pair("gen_ai.tool.definitions", """[{"type": "function", "name": "weather", "description": "of a city", "parameters": {"type": "object"}}]"""),
            Spans.Pair(
                "gen_ai.input.messages",
                """
                [{"role": "user", "parts": [{"type": "text", "content": "Rain?"}, {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AAAA"}, {"type": "uri", "uri": "gs://a", "mime_type": "video/mp4"}]},
                 {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}]},
                 {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"rain": true}}]},
                 {"role": "user", "parts": [{"type": "file", "file_id": "f1"}]}]
                """),
            Spans.Pair("gen_ai.output.messages", """[{"role": "assistant", "parts": [{"type": "text", "content": "Yes."}], "finish_reason": "length"}]"""));

        Assert.Equal(("action", "model", "openai/gpt-5", "success"), Genkit(attributes));
        AssertEqual(
            """
            {
              "messages": [
                {"role": "system", "content": [{"text": "be brief"}]},
                {"role": "user", "content": [{"text": "Rain?"}, {"media": {"url": "data:image/png;base64,AAAA", "contentType": "image/png"}}, {"media": {"url": "gs://a", "contentType": "video/mp4"}}]},
                {"role": "model", "content": [{"reasoning": "hm"}, {"toolRequest": {"ref": "c1", "name": "weather", "input": {"city": "Paris"}}}]},
                {"role": "tool", "content": [{"toolResponse": {"ref": "c1", "name": "", "output": {"rain": true}}}]},
                {"role": "user", "content": [{"data": {"type": "file", "file_id": "f1"}}]}
              ],
              "config": {"temperature": 0.5, "maxOutputTokens": 200},
              "tools": [{"name": "weather", "description": "of a city", "inputSchema": {"type": "object"}}]
            }
            """,
            attributes["genkit:input"]);
        AssertEqual(
            """{"message": {"role": "model", "content": [{"text": "Yes."}]}, "finishReason": "length", "usage": {"inputTokens": 5, "outputTokens": 7}}""",
            attributes["genkit:output"]);
        Assert.Equal("gpt-5", (string?)attributes["gen_ai.request.model"]);
    }

    [Fact]
    public void Chat_WithMessagesAsValues_IsTheSameAsWithThemAsText()
    {
        var parts = new AnyValue { ArrayValue = new ArrayValue { Values = { Map(("type", "text"), ("content", "hi")) } } };
        var message = Map(("role", "user"));
        message.KvlistValue.Values.Add(Spans.Pair("parts", parts));

        var attributes = _spans.MappedAttributes(
            Spans.Pair("gen_ai.operation.name", "chat"), Spans.Pair("gen_ai.input.messages", new AnyValue { ArrayValue = new ArrayValue { Values = { message } } }));

        AssertEqual("""{"messages": [{"role": "user", "content": [{"text": "hi"}]}], "config": {}}""", attributes["genkit:input"]);
    }

    [Fact]
    public void Chat_WithIndexedAttributes_IsAModelWithMessages()
    {
        var attributes = _spans.MappedAttributes(
            Spans.Pair("llm.request.type", "chat"),
            Spans.Pair("gen_ai.system", "Anthropic"),
            Spans.Pair("gen_ai.request.model", "claude"),
            Spans.Pair("gen_ai.prompt.0.role", "system"),
            Spans.Pair("gen_ai.prompt.0.content", "be brief"),
            Spans.Pair("gen_ai.prompt.10.role", "tool"),
            Spans.Pair("gen_ai.prompt.10.tool_call_id", "c1"),
            Spans.Pair("gen_ai.prompt.10.content", """{"rain": true}"""),
            Spans.Pair("gen_ai.prompt.2.role", "user"),
            Spans.Pair("gen_ai.prompt.2.content", """[{"type": "text", "text": "Rain?"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]"""),
            Spans.Pair("gen_ai.completion.0.role", "assistant"),
            Spans.Pair("gen_ai.completion.0.content", """{"json": "stays text"}"""),
            Spans.Pair("gen_ai.completion.0.finish_reason", "tool_calls"),
            Spans.Pair("gen_ai.completion.0.tool_calls.0.id", "c2"),
            Spans.Pair("gen_ai.completion.0.tool_calls.0.name", "weather"),
            Spans.Pair("gen_ai.completion.0.tool_calls.0.arguments", """{"city": "Rome"}"""),
            Spans.Pair("gen_ai.usage.prompt_tokens", new AnyValue { IntValue = 5 }),
            Spans.Pair("llm.usage.total_tokens", "12"));

        Assert.Equal(("action", "model", "Anthropic/claude", "success"), Genkit(attributes));
        AssertEqual(
            """
            {"messages": [
              {"role": "system", "content": [{"text": "be brief"}]},
              {"role": "user", "content": [{"text": "Rain?"}, {"media": {"url": "https://x/y.png"}}]},
              {"role": "tool", "content": [{"toolResponse": {"ref": "c1", "name": "", "output": {"rain": true}}}]}
            ], "config": {}}
            """,
            attributes["genkit:input"]);
        AssertEqual(
            """
            {"message": {"role": "model", "content": [{"text": "{\"json\": \"stays text\"}"}, {"toolRequest": {"ref": "c2", "name": "weather", "input": {"city": "Rome"}}}]},
             "finishReason": "stop", "usage": {"inputTokens": 5, "totalTokens": 12}}
            """,
            attributes["genkit:output"]);
    }

    [Fact]
    public void Chat_WithAnEventForEachMessage_IsAModelWithMessages()
    {
        var span = Chat();
        span.Events.Add(Event("gen_ai.system.message", ("content", "be brief")));
        span.Events.Add(Event("gen_ai.user.message", ("gen_ai.event.content", """{"content": "Rain?"}""")));
        span.Events.Add(Event("gen_ai.choice", ("gen_ai.event.content", """{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes.", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}}""")));
        span.Events.Add(Event("gen_ai.choice", ("index", "1"), ("message", "Maybe."), ("finish_reason", "content_filter")));

        var attributes = _spans.Mapped(span)["attributes"]!.AsObject();

        AssertEqual(
            """{"messages": [{"role": "system", "content": [{"text": "be brief"}]}, {"role": "user", "content": [{"text": "Rain?"}]}], "config": {}}""",
            attributes["genkit:input"]);
        AssertEqual(
            """
            {"message": {"role": "model", "content": [{"text": "Yes."}, {"toolRequest": {"ref": "c1", "name": "f", "input": {}}}]},
             "candidates": [
               {"index": 0, "message": {"role": "model", "content": [{"text": "Yes."}, {"toolRequest": {"ref": "c1", "name": "f", "input": {}}}]}, "finishReason": "stop"},
               {"index": 1, "message": {"role": "model", "content": [{"text": "Maybe."}]}, "finishReason": "blocked"}
             ], "finishReason": "stop"}
            """,
            attributes["genkit:output"]);
    }

    [Fact]
    public void Chat_WithContentEvents_IsAModelWithMessages()
    {
        var span = Chat();
        span.Events.Add(Event("gen_ai.content.prompt", ("gen_ai.prompt", """[{"role": "user", "content": "Rain?"}]""")));
        span.Events.Add(Event("gen_ai.content.completion", ("gen_ai.completion", "Yes.")));

        var attributes = _spans.Mapped(span)["attributes"]!.AsObject();

        AssertEqual("""{"messages": [{"role": "user", "content": [{"text": "Rain?"}]}], "config": {}}""", attributes["genkit:input"]);
        AssertEqual("""{"message": {"role": "model", "content": [{"text": "Yes."}]}}""", attributes["genkit:output"]);
    }

    [Fact]
    public void Chat_WithAnEventOfDetails_IsAModelWithMessages()
    {
        var span = Chat();
        span.Events.Add(Event(
            "gen_ai.client.inference.operation.details",
            ("gen_ai.input.messages", """[{"role": "user", "parts": [{"type": "text", "content": "Rain?"}]}]"""),
            ("gen_ai.response.finish_reasons", """["end_turn"]""")));

        var attributes = _spans.Mapped(span)["attributes"]!.AsObject();

        AssertEqual("""{"messages": [{"role": "user", "content": [{"text": "Rain?"}]}], "config": {}}""", attributes["genkit:input"]);
        AssertEqual("""{"finishReason": "stop"}""", attributes["genkit:output"]);
    }

    [Theory]
    [InlineData("plain text")]
    [InlineData("{\"a\":")]
    [InlineData("")]
    [InlineData("[[[[")]
    public void Chat_ContentOfNoKnownForm_IsShownAsText(string content)
    {
        var attributes = _spans.MappedAttributes(Spans.Pair("gen_ai.operation.name", "chat"), Spans.Pair("gen_ai.input.messages", content));

        Assert.Equal(content, (string?)JsonNode.Parse((string)attributes["genkit:input"]!)!["messages"]![0]!["content"]![0]!["text"]);
    }

    [Fact]
    public void Chat_ContentOfTooManyValues_IsShownAsText()
    {
        var content = $"[{string.Join(',', Enumerable.Repeat("[]", 100_000))}]";

        var attributes = _spans.MappedAttributes(Spans.Pair("gen_ai.operation.name", "chat"), Spans.Pair("gen_ai.input.messages", content));

        Assert.Equal(content, (string?)JsonNode.Parse((string)attributes["genkit:input"]!)!["messages"]![0]!["content"]![0]!["text"]);
    }

    [Fact]
    public void Chat_WithoutContents_HasNeitherInputNorOutput()
    {
        var attributes = _spans.MappedAttributes(Spans.Pair("gen_ai.operation.name", "chat"));

        Assert.Equal(("action", "model", "step", "success"), Genkit(attributes));
        Assert.False(attributes.ContainsKey("genkit:input"));
        Assert.False(attributes.ContainsKey("genkit:output"));
    }

    [Fact]
    public void Tool_WithArgumentsAndResult_HasThemAsInputAndOutput()
    {
        var attributes = _spans.MappedAttributes(
            Spans.Pair("gen_ai.operation.name", "execute_tool"),
            Spans.Pair("gen_ai.tool.name", "weather"),
            Spans.Pair("gen_ai.tool.call.arguments", """{"city": 9007199254740993}"""),
            Spans.Pair("gen_ai.tool.call.result", "it rains"));

        Assert.Equal(("action", "tool", "weather", "success"), Genkit(attributes));
        Assert.Equal("""{"city": 9007199254740993}""", (string?)attributes["genkit:input"]);
        Assert.Equal("\"it rains\"", (string?)attributes["genkit:output"]);
    }

    [Theory]
    [InlineData("generate_content", "model", "v/m")]
    [InlineData("text_completion", "model", "v/m")]
    [InlineData("embeddings", "embedder", "v/m")]
    [InlineData("rerank", "reranker", "v/m")]
    [InlineData("retrieval", "retriever", "step")]
    [InlineData("invoke_agent", "agent", "a")]
    [InlineData("create_agent", null, null)]
    [InlineData("something_new", null, null)]
    public void Operation_Name_GivesTheActionsType(string operation, string? subtype, string? name)
    {
        var attributes = _spans.MappedAttributes(
            Spans.Pair("gen_ai.operation.name", operation), Spans.Pair("gen_ai.system", "v"), Spans.Pair("gen_ai.response.model", "m"), Spans.Pair("gen_ai.agent.name", "a"));

        Assert.Equal(subtype, (string?)attributes["genkit:metadata:subtype"]);
        Assert.Equal(name, (string?)attributes["genkit:name"]);
    }

    [Fact]
    public void Span_ThatFailedOrRuns_IsReported()
    {
        var failed = Chat();
        failed.Status = new SpanStatus { Code = 2 };
        var running = Chat();
        running.EndTimeUnixNano = 0;

        Assert.Equal("error", (string?)_spans.Mapped(failed)["attributes"]!["genkit:state"]);
        Assert.Null(_spans.Mapped(running)["attributes"]!["genkit:state"]);
    }

    [Fact]
    public void Span_WithAttributesOfGenkit_KeepsThem()
    {
        var typed = _spans.MappedAttributes(Spans.Pair("gen_ai.operation.name", "chat"), Spans.Pair("genkit:type", "util"));
        var named = _spans.MappedAttributes(Spans.Pair("gen_ai.operation.name", "chat"), Spans.Pair("genkit:name", "mine"));

        Assert.Equal(2, typed.Count);
        Assert.Equal(("action", "model", "mine", "success"), Genkit(named));
    }

    private static AnyValue Map(params (string Name, string Value)[] members) =>
        new() { KvlistValue = new KeyValueList { Values = { members.Select(member => Spans.Pair(member.Name, member.Value)) } } };

    private static SpanEvent Event(string name, params (string Name, string Value)[] attributes) =>
        new() { Name = name, Attributes = { attributes.Select(attribute => Spans.Pair(attribute.Name, attribute.Value)) } };

    private static (string? Type, string? Subtype, string? Name, string? State) Genkit(JsonObject attributes) =>
        ((string?)attributes["genkit:type"], (string?)attributes["genkit:metadata:subtype"], (string?)attributes["genkit:name"], (string?)attributes["genkit:state"]);

    private static void AssertEqual(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse((string)actual!)), $"Expected {JsonNode.Parse(expected)!.ToJsonString()}\nbut was  {actual}");

    private Span Chat() => _spans.Span(Spans.Pair("gen_ai.operation.name", "chat"));
}
