using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using Genkit.Sidecar.Client.Tests.Infrastructure;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>Each action type is listed with the metadata and schemas that Genkit's own runtimes list.</summary>
public sealed class KindsTests : ApplicationTest
{
    private const string ConfigSchema = """{"type":"object","properties":{"temperature":{"type":"number","default":1}},"$schema":"http://json-schema.org/draft-07/schema#"}""";

    [Fact]
    public async Task Action_OfAnyType_IsListedWithWhatItSays()
    {
        Application.Action("custom", "deep/er", [Description("Does it.")] (JsonElement input) => input, new ActionOptions
        {
            Metadata = new JsonObject { ["a"] = 1 },
            InputSchema = new JsonObject { ["type"] = "string" },
        });

        var action = (await Caller.ListAsync())["/custom/deep/er"];

        Assert.Equal(("deep/er", "Does it."), (action.Name, action.Description));
        AssertJson("""{"a":1}""", action.MetadataJson);
        AssertJson("""{"type":"string"}""", action.InputSchemaJson);
        Assert.False(action.HasOutputSchemaJson);
        Assert.Equal("1", (await Caller.RunAsync("/custom/deep/er", "1")).Result);
    }

    [Fact]
    public async Task Flow_HasNothingButItsSchemas()
    {
        Application.Flow("plain", (int input) => "");
        Application.Flow("streamed", (IAsyncEnumerable<int> input) => Task.CompletedTask);

        var listed = await Caller.ListAsync();

        AssertJson("""{"type":"integer","$schema":"http://json-schema.org/draft-07/schema#"}""", listed["/flow/plain"].InputSchemaJson);
        AssertJson("""{"type":"string","$schema":"http://json-schema.org/draft-07/schema#"}""", listed["/flow/plain"].OutputSchemaJson);
        Assert.False(listed["/flow/plain"].HasMetadataJson);
        Assert.False(listed["/flow/plain"].HasDescription);
        AssertJson("""{"type":"integer","$schema":"http://json-schema.org/draft-07/schema#"}""", listed["/flow/streamed"].InputSchemaJson);
        AssertJson("""{"bidi":true}""", listed["/flow/streamed"].MetadataJson);
        Assert.False(listed["/flow/streamed"].HasOutputSchemaJson);
    }

    [Fact]
    public async Task Chunks_AreListedWithTheirSchema()
    {
        Application.Flow("enumerated", (int count) => Enumerable.Range(0, count).ToAsyncEnumerable());
        Application.Flow("anything", (IAsyncEnumerable<RawJson> chunks) => chunks);
        Application.Flow("sent", (int count) => count, new ActionOptions
        {
            StreamSchema = new JsonObject { ["type"] = "string" },
            Metadata = new JsonObject { ["streamSchema"] = 1, ["owner"] = "tests" },
        });

        var listed = await Caller.ListAsync();

        AssertJson("""{"streamSchema":{"type":"integer","$schema":"http://json-schema.org/draft-07/schema#"}}""", listed["/flow/enumerated"].MetadataJson);
        AssertJson("""{"bidi":true}""", listed["/flow/anything"].MetadataJson);
        AssertJson("""{"streamSchema":{"type":"string"},"owner":"tests"}""", listed["/flow/sent"].MetadataJson);
    }

    [Fact]
    public async Task Tool_HasItsType_WhichWinsOverWhatIsGiven()
    {
        Application.Tool("t", (int input) => input, new ActionOptions { Metadata = new JsonObject { ["type"] = "other", ["more"] = true } });

        AssertJson("""{"type":"tool","more":true}""", (await Caller.ListAsync())["/tool/t"].MetadataJson);
    }

    [Fact]
    public async Task Model_HasWhatItCan_AndGenkitsSchemas()
    {
        Application.Model(
            "acme/large",
            (JsonElement request) => new { message = new { role = "model", content = request.GetProperty("messages")[0].GetProperty("content") } },
            new ModelOptions
            {
                Label = "Large",
                Versions = ["1"],
                Supports = new ModelSupports { Multiturn = true, Output = ["text"] },
                Stage = "stable",
                ConfigSchema = Schema.Of<Config>(),
            });

        var action = (await Caller.ListAsync())["/model/acme/large"];

        Assert.Equal("Large", action.Description);
        AssertJson(
            $$$"""{"model":{"label":"Large","customOptions":{{{ConfigSchema}}},"versions":["1"],"supports":{"multiturn":true,"output":["text"]},"stage":"stable"}}""", action.MetadataJson);
        var input = JsonNode.Parse(action.InputSchemaJson.Span)!;
        Assert.Equal("#/definitions/GenerateRequest", (string?)input["$ref"]);
        Assert.NotNull(input["definitions"]!["GenerateRequest"]);
        Assert.Equal("object", (string?)JsonNode.Parse(action.OutputSchemaJson.Span)!["type"]);
        Assert.Equal(
            """{"message":{"role":"model","content":[{"text":"a"}]}}""",
            (await Caller.RunAsync("/model/acme/large", """{"messages":[{"role":"user","content":[{"text":"a"}]}]}""")).Result);
    }

    [Fact]
    public async Task Prompt_HasItsVariables()
    {
        const string Variables = """{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"$schema":"http://json-schema.org/draft-07/schema#"}""";
        Application.Prompt(
            "p",
            (Person person) => new { messages = new[] { new { role = "user", content = new[] { new { text = person.Name } } } } },
            new PromptOptions { Model = "acme/large", InputDefault = new JsonObject { ["name"] = "Ada" } });

        var action = (await Caller.ListAsync())["/prompt/p"];

        AssertJson(Variables, action.InputSchemaJson);
        AssertJson(
            $$$$"""{"type":"prompt","prompt":{"name":"p","model":"acme/large","input":{"schema":{{{{Variables}}}},"default":{"name":"Ada"}},"tools":[]}}""", action.MetadataJson);
        Assert.Equal("""{"messages":[{"role":"user","content":[{"text":"Bob"}]}]}""", (await Caller.RunAsync("/prompt/p", """{"name":"Bob"}""")).Result);
    }

    [Fact]
    public async Task Embedder_HasItsDimensions()
    {
        Application.Embedder(
            "e", (JsonElement request) => new { embeddings = Array.Empty<object>() }, new EmbedderOptions { Dimensions = 3, ConfigSchema = Schema.Of<Config>() });

        var action = (await Caller.ListAsync())["/embedder/e"];

        AssertJson($$$"""{"type":"embedder","info":{"label":"e","dimensions":3},"embedder":{"customOptions":{{{ConfigSchema}}}}}""", action.MetadataJson);
        Assert.Equal("input", (string?)JsonNode.Parse(action.InputSchemaJson.Span)!["required"]![0]);
        Assert.Equal("embeddings", (string?)JsonNode.Parse(action.OutputSchemaJson.Span)!["required"]![0]);
    }

    [Fact]
    public async Task RetrieverIndexerAndReranker_HaveTheirLabel()
    {
        var options = new LabelledOptions { Label = "R", ConfigSchema = Schema.Of<Config>() };
        Application.Retriever("r", (JsonElement request) => new { documents = Array.Empty<object>() }, options);
        Application.Indexer("r", (JsonElement request) => { }, options);
        Application.Reranker("r", (JsonElement request) => new { documents = Array.Empty<object>() }, options);

        var listed = await Caller.ListAsync();

        foreach (var kind in (string[])["retriever", "indexer", "reranker"])
        {
            var action = listed[$"/{kind}/r"];
            AssertJson($$$"""{"type":"{{{kind}}}","info":{"label":"R"},"{{{kind}}}":{"customOptions":{{{ConfigSchema}}}}}""", action.MetadataJson);
            Assert.NotNull(JsonNode.Parse(action.InputSchemaJson.Span)!["required"]);
        }
    }

    [Fact]
    public async Task Evaluator_ScoresEachTestCase_AndAFailureIsOfOneAlone()
    {
        Application.Evaluator(
            "e",
            async (TestCase test) => new { score = 4 / test.Input, status = await Task.FromResult("PASS") },
            new EvaluatorOptions { DisplayName = "Ev", Definition = "Checks.", IsBilled = true });

        var action = (await Caller.ListAsync())["/evaluator/e"];
        var outcome = await Caller.RunAsync(
            "/evaluator/e", """{"dataset":[{"testCaseId":"a","input":2},{"testCaseId":"b","input":0},{"testCaseId":"c","input":1},{"testCaseId":"d"}],"evalRunId":"1"}""");

        Assert.Equal("Checks.", action.Description);
        AssertJson(
            """{"type":"evaluator","evaluatorIsBilled":true,"evaluator":{"evaluatorDisplayName":"Ev","evaluatorDefinition":"Checks.","evaluatorIsBilled":true}}""", action.MetadataJson);
        Assert.Equal("array", (string?)JsonNode.Parse(action.OutputSchemaJson.Span)!["type"]);
        Assert.Equal(
            """
            [{"sampleIndex":0,"testCaseId":"a","evaluation":{"score":2,"status":"PASS"}},
            {"sampleIndex":1,"testCaseId":"b","evaluation":{"error":"Evaluation of test case b failed: Attempted to divide by zero."}},
            {"sampleIndex":2,"testCaseId":"c","evaluation":{"score":4,"status":"PASS"}},
            {"sampleIndex":3,"testCaseId":"d","evaluation":{"error":"Evaluation of test case d failed: \"input\" must be given: an integer"}}]
            """.ReplaceLineEndings(""),
            outcome.Result);
        AssertLogged("The evaluation of test case b failed");
        AssertLogged("The evaluation of test case d failed");
        Assert.Equal((3, "\"dataset\" must be an array of objects"), (await Caller.RunAsync("/evaluator/e", """{"dataset":1}""")).Failure);
    }

    [Fact]
    public async Task Evaluator_TakesWhatJsonCanSay()
    {
        var deep = new string('[', 200) + new string(']', 200);
        Application.Evaluator("e", (RawJson test) => test.Utf8.Length > 400 ? new { score = 1 } : throw new FormatException("too short"));

        var outcome = await Caller.RunAsync("/evaluator/e", $$"""{"dataset":[{"testCaseId":"a","input":{{deep}}},{"testCaseId":"\ud800"}]}""");

        Assert.Equal(
            """
            [{"sampleIndex":0,"testCaseId":"a","evaluation":{"score":1}},
            {"sampleIndex":1,"testCaseId":"\ud800","evaluation":{"error":"Evaluation of test case \\ud800 failed: too short"}}]
            """.ReplaceLineEndings(""),
            outcome.Result);
        AssertLogged(@"The evaluation of test case \ud800 failed");
    }

    private static void AssertJson(string expected, Google.Protobuf.ByteString actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual.Span)), $"expected {expected}\nbut it was {actual.ToStringUtf8()}");

    private sealed record Config(double Temperature = 1);

    private sealed record Person(string Name);

    private sealed record TestCase(int Input);
}
