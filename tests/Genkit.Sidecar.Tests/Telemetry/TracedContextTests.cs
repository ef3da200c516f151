using System.Text;
using Genkit.Sidecar.Telemetry;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Telemetry;

public class TracedContextTests
{
    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("""{"auth":{"uid":"u"},"other":1}""", """{"auth":"<redacted>","other":1}""")]
    [InlineData(""" { "secrets" : [ 1 ] , "auth" : null } """, """{"secrets":"<redacted>","auth":"<redacted>"}""")]
    [InlineData("""{"a":{"auth":"kept","secrets":"kept"},"Auth":"kept"}""", """{"a":{"auth":"kept","secrets":"kept"},"Auth":"kept"}""")]
    [InlineData("""{"\u0061uth":"hidden"}""", """{"\u0061uth":"<redacted>"}""")]
    [InlineData("""{"auth":"one","auth":"two"}""", """{"auth":"<redacted>","auth":"<redacted>"}""")]
    [InlineData("""{"\ud800":9007199254740993,"b":-0}""", """{"\ud800":9007199254740993,"b":-0}""")]
    public void Redact_Object_HidesCredentialsAtTheTopAndNothingElse(string context, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(context);
        for (var size = 1; size <= bytes.Length; size++)
        {
            Assert.Equal(expected, Encoding.UTF8.GetString(TracedContext.Redact(Sequences.Every(size, bytes))!.Value));
        }
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"token\"")]
    [InlineData("[{\"auth\":1}]")]
    public void Redact_AnotherValue_ShowsNothing(string context) =>
        Assert.Null(TracedContext.Redact(new System.Buffers.ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(context))));
}
