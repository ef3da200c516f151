using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Google.Protobuf;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class ListValuesTests
{
    [Theory]
    [InlineData("defaultModel")]
    [InlineData("middleware")]
    public async Task ListValues_KnownType_PassesTheObjectOn(string type)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Methods["ListValues"] = async call =>
        {
            var request = V1.ListValuesRequest.Parser.ParseFrom(await call.ReadAsync());
            await call.ReplyAsync(Values($$"""{ "{{request.Type}}": {"version":1.50} }"""));
        };

        await sidecar.Peer.SendAsync(Requests.ListValues("5", type));
        var answer = await sidecar.Peer.ReceiveTextAsync();

        Assert.Equal($$$"""{"jsonrpc":"2.0","result":{"values":{ "{{{type}}}": {"version":1.50} }},"id":"5"}""", answer);
    }

    [Theory]
    [InlineData("model")]
    [InlineData("")]
    [InlineData("DefaultModel")]
    public async Task ListValues_OtherType_IsRefusedWithoutACall(string type)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListValues("5", type));

        answer.AssertError(-32602, 3, $"'type' {type} is not supported. Only 'defaultModel' and 'middleware' are supported");
        Assert.DoesNotContain("ListValues", sidecar.Application.Calls);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"type":1}""")]
    [InlineData("""{"type":null}""")]
    public async Task ListValues_TypeMissingOrNoString_IsRefused(string parameters)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.Call("5", "listValues", parameters));

        answer.AssertError(-32602, 3, "params.type: a string is required");
    }

    [Fact]
    public async Task ListValues_NotOffered_HasNoValues()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListValues("5", "defaultModel"));

        Assert.Equal("{}", answer.At("result", "values").GetRawText());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{} {}")]
    public async Task ListValues_NoObject_IsInternal(string json)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Methods["ListValues"] = call => call.ReplyAsync(Values(json));

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListValues("5", "defaultModel"));

        Assert.StartsWith("The application sent a values_json that is not one JSON object", answer.AssertFailure(13), StringComparison.Ordinal);
    }

    private static V1.ListValuesResponse Values(string json) => new() { ValuesJson = ByteString.CopyFromUtf8(json) };
}
