using System.Buffers;
using System.Text;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.JsonRpc;

public class RunActionParamsTests
{
    [Fact]
    public void Read_FullParams_MakeARun()
    {
        Assert.Null(Read("""{"key":"/flow/a","input":{"x":1},"init":null,"context":[],"telemetryLabels":{"a":"1","a":"2","\u0062":""},"stream":true,"streamInput":true}""", out var request));

        Assert.Equal("/flow/a", request!.Key);
        Assert.Equal("""{"x":1}""", Text(request.Input));
        Assert.Equal("null", Text(request.Init));
        Assert.Equal("[]", Text(request.Context));
        Assert.Equal(new Dictionary<string, string> { ["a"] = "2", ["b"] = "" }, request.TelemetryLabels);
        Assert.True(request.Stream);
        Assert.True(request.StreamInput);
        Assert.NotNull(request.Owner);
    }

    [Fact]
    public void Read_OnlyAKey_LeavesTheRestOut()
    {
        Assert.Null(Read("""{"key":"k"}""", out var request));

        Assert.Null(request!.Input ?? request.Init ?? request.Context);
        Assert.False(request.Stream || request.StreamInput);
        Assert.Empty(request.TelemetryLabels);
    }

    [Theory]
    [InlineData("null", "an object")]
    [InlineData("[]", "an object")]
    [InlineData("\"key\"", "an object")]
    [InlineData("{}", "key:")]
    [InlineData("""{"input":1}""", "key:")]
    [InlineData("""{"key":""}""", "key:")]
    [InlineData("""{"key":null}""", "key:")]
    [InlineData("""{"key":5}""", "key:")]
    [InlineData("""{"key":"\ud800"}""", "key:")]
    [InlineData("""{"key":"k","stream":null}""", "stream:")]
    [InlineData("""{"key":"k","stream":"true"}""", "stream:")]
    [InlineData("""{"key":"k","stream":true,"streamInput":1}""", "streamInput:")]
    [InlineData("""{"key":"k","telemetryLabels":null}""", "telemetryLabels:")]
    [InlineData("""{"key":"k","telemetryLabels":["a"]}""", "telemetryLabels:")]
    [InlineData("""{"key":"k","telemetryLabels":{"a":1}}""", "telemetryLabels:")]
    [InlineData("""{"key":"k","telemetryLabels":{"a":{"b":"c"}}}""", "telemetryLabels:")]
    [InlineData("""{"key":"k","telemetryLabels":{"\ud800":"a"}}""", "telemetryLabels:")]
    [InlineData("""{"key":"k","telemetryLabels":{"a":"\udc00"}}""", "telemetryLabels:")]
    public void Read_BadParams_NamesTheMember(string parameters, string member)
    {
        var problem = Read(parameters, out var request);

        Assert.StartsWith(member, problem, StringComparison.Ordinal);
        Assert.Null(request);
    }

    [Fact]
    public void Read_NoParams_AreBadParams()
    {
        Assert.Null(JsonRpcReader.Read(new ReadOnlySequence<byte>("""{"method":"runAction","id":"1"}"""u8.ToArray()), out var message));
        using var owner = new ReceivedFrame();

        Assert.StartsWith("an object", RunActionParams.Read(message, owner, out _), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DeepLabels_AreBadParams()
    {
        var deep = new string('[', 1_000) + new string(']', 1_000);

        Assert.StartsWith("telemetryLabels:", Read("{\"key\":\"k\",\"telemetryLabels\":" + deep + "}", out _), StringComparison.Ordinal);
        Assert.StartsWith("telemetryLabels:", Read("{\"key\":\"k\",\"telemetryLabels\":{\"a\":" + deep + "}}", out _), StringComparison.Ordinal);
    }

    private static string? Read(string parameters, out RunRequest? request)
    {
        var frame = Encoding.UTF8.GetBytes("{\"method\":\"runAction\",\"params\":" + parameters + ",\"id\":\"1\"}");
        Assert.Null(JsonRpcReader.Read(Sequences.Every(5, frame), out var message));
        using var owner = new ReceivedFrame();
        return RunActionParams.Read(message, owner, out request);
    }

    private static string? Text(ReadOnlySequence<byte>? payload) => payload is { } bytes ? Encoding.UTF8.GetString(bytes) : null;
}
