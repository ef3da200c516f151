using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>What counts as expected, and what is said where something else came.</summary>
public class ExpectationTests
{
    private static readonly CaseValues s_values = new("u1", 7);

    [Theory]
    [InlineData("""{"a": 1, "b": [true, null]}""", """{ "b":[true,null], "a":1.0 }""")]
    [InlineData(""" "Aé" """, """ "\u0041\u00e9" """)]
    [InlineData("""{"$exactly": {"a": 1}}""", """{"a": 1}""")]
    [InlineData("""{"$contains": {"a": {"b": 1}}}""", """{"x": 1, "a": {"b": 1, "c": 2}}""")]
    [InlineData("""{"$contains": {}, "$lacks": ["b"]}""", """{"a": 1}""")]
    [InlineData("""{"$matches": "^.{{index}}.$"}""", """[7]""")]
    [InlineData("""{"$json": "{\"n\": {{index}}, \"u\": \"{{unique}}\"}"}""", """{"u":"u1","n":7}""")]
    [InlineData("""{"$string": 4}""", "\"bc\"")]
    [InlineData("""{"$nested": 2}""", "[[]]")]
    [InlineData("""{"$repeat": ["é", 2]}""", "\"éé\"")]
    [InlineData("""{"$padded": ["<{{padding}}>", 3]}""", "<xxx>")]
    [InlineData("""{"$hex": "5B 5d"}""", "[]")]
    [InlineData("""{"$any": true}""", "1")]
    public void Payload_ThatIsExpected_HasNoFault(string expectation, string actual) => Assert.Null(Fault(expectation, actual));

    [Theory]
    [InlineData("""{"a": 1}""", """{"a": 2}""", "at $.a: 2 instead of 1")]
    [InlineData("""{"a": 1}""", """{"a": 1, "b": 2}""", "there is a member b")]
    [InlineData("""{"a": [1]}""", """{"a": [1, 2]}""", "at $.a: 2 elements instead of 1")]
    [InlineData("""9007199254740993""", """9007199254740992""", "9007199254740992 instead of 9007199254740993")]
    [InlineData("""{"$exactly": {"a": 1}}""", """{"a":1}""", "differs from byte 5 on")]
    [InlineData("""{"$exactly": [1]}""", """[1]  """, "has 5 bytes instead of 3")]
    [InlineData("""{"$contains": {"a": 1}}""", """{"b": 1}""", "the member a is missing")]
    [InlineData("""{"$contains": {}, "$lacks": ["b"]}""", """{"b": null}""", "has b, which should be absent")]
    [InlineData("""{"$matches": "x"}""", """ "y" """, "which x does not match")]
    [InlineData("""{"$absent": true}""", """null""", "should be absent")]
    [InlineData("""1""", """{""", "is not JSON")]
    public void Payload_ThatIsNotExpected_IsToldHow(string expectation, string actual, string message) =>
        Assert.Contains(message, Fault(expectation, actual), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"$any": true}""")]
    [InlineData("null")]
    [InlineData("""{"$exactly": null}""")]
    public void Payload_ThatIsAbsent_IsNotNull(string expectation) => Assert.Equal("is absent", Fault(expectation, null));

    [Theory]
    [InlineData("\"4 MiB + 1\"", 4194305)]
    [InlineData("\"64 KiB\"", 65536)]
    [InlineData("17", 17)]
    public void Size_IsWrittenAsPeopleDo(string text, int bytes)
    {
        using var document = JsonDocument.Parse(text);

        Assert.Equal(bytes, Size.Parse(document.RootElement));
    }

    private static string? Fault(string expectation, string? actual)
    {
        using var document = JsonDocument.Parse(expectation);
        return Expectation.Parse(document.RootElement.Clone()).Fault(actual is null ? null : Encoding.UTF8.GetBytes(actual), s_values);
    }
}
