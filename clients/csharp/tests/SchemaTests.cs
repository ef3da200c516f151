using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Genkit.Sidecar.Client.Tests.Infrastructure;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>Schemas derived from types, and the errors for values that do not match.</summary>
public sealed class SchemaTests : ApplicationTest
{
    public SchemaTests() => Application.Flow("order", (Order input) => input);

    [Fact]
    public void Record_IsAnObjectOfItsMembers()
    {
        const string Expected =
            """
            {
              "type": "object",
              "properties": {
                "id": {"type": "integer"},
                "items": {
                  "type": "array",
                  "items": {"type": "object", "properties": {"sku": {"type": "string"}, "price": {"type": "number", "default": 0}}, "required": ["sku"]}
                },
                "from": {"type": ["string", "null"], "default": null},
                "labels": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "default": null},
                "color": {"enum": ["red", "darkGreen"], "default": "red"},
                "note": {"description": "For the driver.", "type": "string", "default": ""},
                "at": {"type": ["string", "null"], "format": "date-time", "default": null}
              },
              "required": ["id", "items"],
              "$schema": "http://json-schema.org/draft-07/schema#"
            }
            """;

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Expected), Schema.Of<Order>()), Schema.Of<Order>().ToJsonString());
    }

    [Fact]
    public void Type_ThatHasItselfAsAMember_IsReferredTo()
    {
        var schema = Schema.Of<Tree>();

        Assert.Equal("#", (string?)schema["properties"]!["children"]!["items"]!["$ref"]);
    }

    [Fact]
    public void Schema_OfATypeThatTakesAnything_IsEmpty() => Assert.Empty(Schema.Of<object>());

    [Fact]
    public async Task Values_AreReadAndWritten()
    {
        var outcome = await Caller.RunAsync("/flow/order", """{"id":1,"items":[{"sku":"a","price":2,"unknown":true}],"from":"é","color":"darkGreen","unknown":1}""");

        Assert.Equal(
            """{"id":1,"items":[{"sku":"a","price":2}],"from":"é","labels":null,"color":"darkGreen","note":"","at":null}""", outcome.Result);
    }

    [Theory]
    [InlineData("""{"items":[]}""", "\"id\" must be given: an integer")]
    [InlineData("""{"id":"1","items":[]}""", "\"id\" must be an integer")]
    [InlineData("""{"id":true,"items":[]}""", "\"id\" must be an integer")]
    [InlineData("""{"id":1.5,"items":[]}""", "\"id\" must be an integer")]
    [InlineData("""{"id":1e400,"items":[]}""", "\"id\" must be an integer")]
    [InlineData("""{"id":5000000000,"items":[]}""", "\"id\" cannot be read as an integer")]
    [InlineData("""{"id":null,"items":[]}""", "\"id\" must be an integer")]
    [InlineData("""{"id":1,"items":null}""", "\"items\" must be an array")]
    [InlineData("""{"id":1,"items":{}}""", "\"items\" must be an array")]
    [InlineData("""{"id":1,"items":[{"sku":"a"},{"sku":2}]}""", "\"items[1].sku\" must be a string")]
    [InlineData("""{"id":1,"items":[{"sku":"a"},{"sku":null}]}""", "\"items[1].sku\" must be a string")]
    [InlineData("""{"id":1,"items":[{}]}""", "\"items[0].sku\" must be given: a string")]
    [InlineData("""{"id":1,"items":[1]}""", "\"items[0]\" must be an object with \"sku\"")]
    [InlineData("""{"id":1,"items":[],"from":1}""", "\"from\" must be a string or null")]
    [InlineData("""{"id":1,"items":[],"labels":{"a":1}}""", "\"labels.a\" must be a string")]
    [InlineData("""{"id":1,"items":[],"color":"blue"}""", "\"color\" must be one of \"red\", \"darkGreen\"")]
    [InlineData("""{"id":1,"items":[],"color":0}""", "\"color\" must be one of \"red\", \"darkGreen\"")]
    [InlineData("""{"id":1,"items":[],"at":"yesterday"}""", "\"at\" cannot be read as a string of format date-time or null")]
    [InlineData("""{"id":1,"items":[],"note":"\ud800"}""", "\"note\" cannot be read as a string")]
    [InlineData("""{"id":1,"items":[],"color":"\ud800"}""", "\"color\" contains a string that is not valid Unicode")]
    [InlineData("""{"id":1,"items":[],"\ud800":1}""", "the input contains a string that is not valid Unicode")]
    [InlineData("""{"id":1,"items":[],"labels":{"\ud800":""}}""", "\"labels\" contains a string that is not valid Unicode")]
    [InlineData("[]", "the input must be an object with \"id\", \"items\"")]
    [InlineData("null", "the input must be an object with \"id\", \"items\"")]
    [InlineData("{", "the input is not valid JSON: line 1, byte 2")]
    [InlineData("NaN", "the input is not valid JSON: line 1, byte 1")]
    [InlineData("""{"id":1,"items":[]} x""", "the input is not valid JSON: line 1, byte 21")]
    [InlineData(null, "the input is missing; it must be an object with \"id\", \"items\"")]
    public async Task Input_ThatDoesNotFit_IsNamedByItsMember(string? input, string message)
    {
        var outcome = await Caller.RunAsync("/flow/order", input);

        Assert.Equal((3, message), outcome.Failure);
        Assert.Empty(outcome.Error!.Stack);
    }

    [Theory]
    [InlineData("""{"value":1,"children":[{"value":2},{"value":"3"}]}""", "\"children[1].value\" must be an integer")]
    [InlineData("""{"value":1,"children":[{"value":2,"children":[{}]}]}""", "\"children[0].children[0].value\" must be given: an integer")]
    public async Task Input_OfATypeThatHasItselfAsAMember_IsNamedByItsMember(string input, string message)
    {
        Application.Flow("tree", (Tree tree) => tree.Value);

        Assert.Equal((3, message), (await Caller.RunAsync("/flow/tree", input)).Failure);
    }

    [Fact]
    public async Task Input_NestedBeyondReason_IsRefused()
    {
        Application.Flow("tree", (Tree tree) => tree.Value);
        var deep = string.Concat(Enumerable.Repeat("""{"value":1,"children":[""", 10_000)) + string.Concat(Enumerable.Repeat("]}", 10_000));

        var outcome = await Caller.RunAsync("/flow/tree", deep);

        Assert.Equal(3, outcome.Error!.Code);
    }

    [Fact]
    public async Task Input_OfATypeThatTakesNoOtherMembers_IsNamedByTheUnknownOne()
    {
        Application.Flow("closed", (Closed closed) => closed.Value);

        Assert.Equal((3, "\"other\" is unknown"), (await Caller.RunAsync("/flow/closed", """{"value":1,"other":2}""")).Failure);
    }

    [Fact]
    public async Task Input_ThatItsTypeRefuses_IsRefusedInItsWords()
    {
        Application.Flow("age", (Age age) => age.Years);

        Assert.Equal((3, "the input cannot be read: years must not be negative"), (await Caller.RunAsync("/flow/age", """{"years":-1}""")).Failure);
    }

    [Fact]
    public async Task Input_OfAPolymorphicType_IsReadAndRefused()
    {
        Application.Flow("shape", (Shape shape) => shape is Circle { Radius: var radius } ? radius : 0);

        Assert.Equal("2", (await Caller.RunAsync("/flow/shape", """{"kind":"circle","radius":2}""")).Result);
        Assert.Equal("2", (await Caller.RunAsync("/flow/shape", """{"radius":2,"kind":"circle"}""")).Result);
        Assert.Equal((3, "\"radius\" must be a number"), (await Caller.RunAsync("/flow/shape", """{"kind":"circle","radius":"2"}""")).Failure);
        Assert.Equal((3, "\"radius\" must be given: a number"), (await Caller.RunAsync("/flow/shape", """{"kind":"circle"}""")).Failure);
        Assert.Equal((3, "\"kind\" must be one of \"circle\", \"point\""), (await Caller.RunAsync("/flow/shape", """{"kind":"square"}""")).Failure);
        Assert.Equal((3, "\"kind\" must be given: one of \"circle\", \"point\""), (await Caller.RunAsync("/flow/shape", "{}")).Failure);
    }

    [Fact]
    public void Type_WithoutJson_IsRefusedWhereItIsDefined()
    {
        var exception = Assert.Throws<ArgumentException>(() => Application.Flow("bad", (Action input) => 1));

        Assert.StartsWith("/flow/bad: System.Action has no JSON", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_WithoutJson_IsRefusedWhereItIsDefined()
    {
        var exception = Assert.Throws<ArgumentException>(() => Application.Flow("bad", () => 1, new ActionOptions { Metadata = new JsonObject { ["threshold"] = double.NaN } }));

        Assert.StartsWith("/flow/bad: ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Application.Actions, action => action.Name == "bad");
    }

    [Fact]
    public void Tuple_WhichWouldLoseItsItems_IsRefusedWhereItIsDefined()
    {
        var exception = Assert.Throws<ArgumentException>(() => Application.Flow("bad", () => (Sku: "a", Price: 1)));

        Assert.StartsWith("/flow/bad: System.ValueTuple`2[System.String,System.Int32] has no JSON", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tuple_WhoseFieldsAreIncluded_IsAnObject() =>
        Assert.Equal(["Item1", "Item2"], Schema.Of<(string Sku, int Price)>(new JsonSerializerOptions { IncludeFields = true })["properties"]!.AsObject().Select(property => property.Key));

    [Fact]
    public void Handler_ThatIsAsyncAndReturnsVoid_IsRefusedWhereItIsDefined()
    {
        Action handler = async () => await Task.Yield();

        var exception = Assert.Throws<ArgumentException>(() => Application.Flow("bad", handler));

        Assert.StartsWith("/flow/bad: an async handler must return a Task", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Handler_ThatReturnsATaskOfAStream_IsRefusedWhereItIsDefined()
    {
        var exception = Assert.Throws<ArgumentException>(() => Application.Flow("bad", () => Task.FromResult(AsyncEnumerable.Empty<int>())));

        Assert.StartsWith("/flow/bad: a handler must return an IAsyncEnumerable directly", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Handler_OfOtherParameters_IsRefusedWhereItIsDefined()
    {
        var exception = Assert.Throws<ArgumentException>(() => Application.Flow("bad", (int one, string other) => 1));

        Assert.StartsWith("/flow/bad: a handler takes one input", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Type_WithASlash_IsRefused() => Assert.Throws<ArgumentException>(() => Application.Action("a/b", "c", () => 1));

    private enum Color
    {
        Red,
        DarkGreen,
    }

    private sealed record Item(string Sku, double Price = 0);

    private sealed record Order(
        int Id,
        List<Item> Items,
        string? From = null,
        Dictionary<string, string>? Labels = null,
        Color Color = Color.Red,
        [property: Description("For the driver.")] string Note = "",
        DateTimeOffset? At = null);

    private sealed record Age(int Years)
    {
        public int Years { get; } = Years >= 0 ? Years : throw new ArgumentException("years must not be negative");
    }

    private sealed record Tree(int Value, List<Tree>? Children = null);

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record Closed(int Value);

    [JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
    [JsonDerivedType(typeof(Circle), "circle")]
    [JsonDerivedType(typeof(Point), "point")]
    private abstract record Shape;

    private sealed record Circle(double Radius) : Shape;

    private sealed record Point : Shape;
}
