using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Application;
using Google.Protobuf;

namespace Genkit.Sidecar.Tests.Application;

public class ListedActionsTests
{
    [Fact]
    public void From_FullAction_IsListedInTheOrderOfTheJsRuntime()
    {
        var action = Action("/flow/a");
        action.Description = "does \"a\"";
        action.InputSchemaJson = Json("""{"type":"object"}""");
        action.OutputSchemaJson = Json(" { } ");
        action.MetadataJson = Json("""{ "n" : 9007199254740993 , "s":"\u00e9","o":{"deep":[null,[null]]},"a":[1,"x",true,{"y":[[]]}] }""");

        var listed = ListedActions.From([action]);

        Assert.Equal(
            """{"/flow/a":{"key":"/flow/a","name":"a","description":"does \"a\"","inputSchema":{"type":"object"},"outputSchema": { } ,"metadata":{"n" : 9007199254740993,"s":"\u00e9","o":{"deep":[null,[null]]},"a":[1,"x",true,{"y":[[]]}]}}}""",
            Map(listed));
        Assert.Empty(listed.Omissions);
        AssertManagerTakes(listed);
    }

    [Fact]
    public void From_OptionalMembersUnset_AreLeftOut()
    {
        Assert.Equal("""{"/flow/a":{"key":"/flow/a","name":"a"}}""", Map(ListedActions.From([Action("/flow/a")])));
        Assert.Equal("{}", Map(ListedActions.From([])));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[null]")]
    [InlineData("[1,null]")]
    [InlineData("[[]]")]
    [InlineData("[{},[1],2]")]
    [InlineData("[[[null]],{}]")]
    public void From_MetadataMemberThatTheManagerRefuses_IsLeftOutAndReported(string value)
    {
        var action = Action("/model/m");
        action.MetadataJson = Json($$"""{"first":1,"b\u0061d" : {{value}} ,"last":{"x":{{value}}} }""");

        var listed = ListedActions.From([action]);

        Assert.Equal(
            """{"/model/m":{"key":"/model/m","name":"m","metadata":{"first":1,"last":{"x":""" + value + "}}}}",
            Map(listed));
        var omission = Assert.Single(listed.Omissions);
        Assert.Contains("/model/m", omission, StringComparison.Ordinal);
        Assert.Contains("\"b\\u0061d\"", omission, StringComparison.Ordinal);
        AssertManagerTakes(listed);
    }

    [Fact]
    public void From_NothingButBadMetadata_LeavesAnEmptyObject()
    {
        var action = Action("/model/m");
        action.MetadataJson = Json("""{"a":null,"b":[[]]}""");

        Assert.Equal("""{"/model/m":{"key":"/model/m","name":"m","metadata":{}}}""", Map(ListedActions.From([action])));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{\"a\":1}}},\"/evil\":{\"x\":{\"y\":{")]
    public void From_FieldThatIsNoObject_IsLeftOutAndTheActionStays(string json)
    {
        var action = Action("/flow/a");
        action.InputSchemaJson = Json(json);
        action.OutputSchemaJson = Json(json);
        action.MetadataJson = Json(json);

        var listed = ListedActions.From([action, Action("/flow/b")]);

        Assert.Equal("""{"/flow/a":{"key":"/flow/a","name":"a"},"/flow/b":{"key":"/flow/b","name":"b"}}""", Map(listed));
        Assert.Equal(3, listed.Omissions.Count);
        Assert.All(listed.Omissions, omission => Assert.Contains("/flow/a", omission, StringComparison.Ordinal));
    }

    [Fact]
    public void From_FieldThatIsNotUtf8_IsLeftOut()
    {
        var action = Action("/flow/a");
        action.MetadataJson = ByteString.CopyFrom([.. "{\"a\":\""u8, 0xFF, .. "\"}"u8]);

        Assert.Equal("""{"/flow/a":{"key":"/flow/a","name":"a"}}""", Map(ListedActions.From([action])));
    }

    [Fact]
    public void From_ActionWithoutKeyOrName_IsLeftOutAlone()
    {
        var listed = ListedActions.From([new V1.Action { Name = "keyless" }, new V1.Action { Key = "/flow/nameless" }, Action("/flow/a")]);

        Assert.Equal("""{"/flow/a":{"key":"/flow/a","name":"a"}}""", Map(listed));
        Assert.Equal(2, listed.Omissions.Count);
        Assert.Contains("keyless", listed.Omissions[0], StringComparison.Ordinal);
        Assert.Contains("/flow/nameless", listed.Omissions[1], StringComparison.Ordinal);
    }

    [Fact]
    public void From_EqualKeys_TheLastCounts()
    {
        var first = Action("/flow/a");
        var last = Action("/flow/a");
        last.Description = "last";

        var listed = ListedActions.From([first, Action("/flow/b"), last]);

        Assert.Equal(["/flow/b", "/flow/a"], listed.Actions.Select(action => action.Key));
        Assert.Equal("last", listed.Actions[1].Description);
        Assert.Single(listed.Omissions);
        AssertManagerTakes(listed);
    }

    [Fact]
    public void From_NastyNames_StayNames()
    {
        var action = new V1.Action { Key = "/flow/\"}\\é😀\u0000", Name = "\"\n", Description = "\u2028</script>" };

        var listed = ListedActions.From([action]);

        using var document = JsonDocument.Parse(listed.Map);
        var written = document.RootElement.GetProperty(action.Key);
        Assert.Equal(action.Name, written.GetProperty("name").GetString());
        Assert.Equal(action.Description, written.GetProperty("description").GetString());
        AssertManagerTakes(listed);
    }

    [Fact]
    public void From_DeepSchemaAndMetadata_ArePassedOn()
    {
        var deep = "{\"a\":" + new string('[', 10_000) + new string(']', 10_000) + "}";
        var action = Action("/flow/a");
        action.InputSchemaJson = Json(deep);
        action.MetadataJson = Json($$"""{"o":{{deep}}}""");

        Assert.Equal(
            """{"/flow/a":{"key":"/flow/a","name":"a","inputSchema":""" + deep + ",\"metadata\":{\"o\":" + deep + "}}}",
            Map(ListedActions.From([action])));
    }

    [Fact]
    public void From_MetadataAtRandom_IsWhatTheManagerTakes()
    {
        var random = new Random(20261128);
        for (var round = 0; round < 3_000; round++)
        {
            var action = Action("/flow/a");
            action.MetadataJson = Json(Value(random, 0));

            AssertManagerTakes(ListedActions.From([action]));
        }
    }

    private static string Value(Random random, int depth)
    {
        var values = Enumerable.Range(0, depth > 3 ? 0 : random.Next(4)).Select(_ => Value(random, depth + 1));
        return (depth == 0 ? 7 : random.Next(8)) switch
        {
            0 => "null",
            1 => "\"a]}\"",
            2 => "1",
            3 => "true",
            4 or 5 => $"[{string.Join(" , ", values)}]",
            _ => $"{{{string.Join(',', values.Select((value, index) => $"\"{index}\" : {value}"))}}}",
        };
    }

    /// <summary>The manager's schema for the result of <c>listActions</c>, which is checked as a whole.</summary>
    private static void AssertManagerTakes(ListedActions listed)
    {
        using var document = JsonDocument.Parse(listed.Map, new JsonDocumentOptions { MaxDepth = 1000 });
        foreach (var entry in document.RootElement.EnumerateObject())
        {
            var action = entry.Value;
            Assert.Equal(JsonValueKind.String, action.GetProperty("name").ValueKind);
            Assert.Equal(entry.Name, action.GetProperty("key").GetString());
            if (action.TryGetProperty("description", out var description))
            {
                Assert.Equal(JsonValueKind.String, description.ValueKind);
            }

            if (action.TryGetProperty("metadata", out var metadata))
            {
                Assert.Equal(JsonValueKind.Object, metadata.ValueKind);
                Assert.All(metadata.EnumerateObject(), member => Assert.True(IsTaken(member.Value)));
            }
        }
    }

    private static bool IsTaken(JsonElement value) =>
        IsScalarOrObject(value) || (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsScalarOrObject));

    private static bool IsScalarOrObject(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False or JsonValueKind.Object;

    private static V1.Action Action(string key) => new() { Key = key, Name = key[(key.LastIndexOf('/') + 1)..] };

    private static ByteString Json(string json) => ByteString.CopyFromUtf8(json);

    private static string Map(ListedActions listed) => Encoding.UTF8.GetString(listed.Map.Span);
}
