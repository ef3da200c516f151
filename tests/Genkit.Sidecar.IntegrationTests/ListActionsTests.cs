using System.Text;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Google.Protobuf;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class ListActionsTests
{
    [Fact]
    public async Task ListActions_EveryMember_KeepsOrderAndBytes()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        List(sidecar, new V1.Action
        {
            Key = "/flow/a/b",
            Name = "a/b é \"q\"",
            Description = "",
            InputSchemaJson = ByteString.CopyFromUtf8("""{ "type": "number", "maximum":9007199254740993, "x":null }"""),
            OutputSchemaJson = ByteString.CopyFromUtf8("{}"),
            MetadataJson = ByteString.CopyFromUtf8("""{"z":1.50,"a":{"deep":[null,[1]]},"e":"\u00e9"}"""),
        });

        await sidecar.Peer.SendAsync(Requests.ListActions("7"));
        var answer = await sidecar.Peer.ReceiveTextAsync();

        Assert.Equal(
            """{"jsonrpc":"2.0","result":{"actions":{"/flow/a/b":{"key":"/flow/a/b","name":"a/b é \"q\"","description":"","inputSchema":{ "type": "number", "maximum":9007199254740993, "x":null },"outputSchema":{},"metadata":{"z":1.50,"a":{"deep":[null,[1]]},"e":"\u00e9"}}}},"id":"7"}""",
            answer);
    }

    [Fact]
    public async Task ListActions_OnlyKeyAndName_HasNothingElse()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.List("/flow/one", "/model/two");

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("7"));

        Assert.Equal(
            """{"/flow/one":{"key":"/flow/one","name":"one"},"/model/two":{"key":"/model/two","name":"two"}}""",
            answer.At("result", "actions").GetRawText());
    }

    [Fact]
    public async Task ListActions_AskedTwice_IsLiveEachTime()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var before = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));
        sidecar.Application.List("/flow/new");
        var after = await sidecar.Peer.AskForOneAsync(Requests.ListActions("2"));

        Assert.Equal("{}", before.At("result", "actions").GetRawText());
        Assert.True(after.At("result", "actions").Has("/flow/new"));
    }

    [Theory]
    [InlineData("[]", "it is not a JSON object")]
    [InlineData("true", "it is not a JSON object")]
    [InlineData("{", "it is not valid JSON")]
    [InlineData("{}{}", "it is not valid JSON")]
    [InlineData("", "it is empty")]
    public async Task ListActions_BadSchema_LeavesOutTheSchemaAlone(string schema, string reason)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        List(sidecar, new V1.Action
        {
            Key = "/flow/a",
            Name = "a",
            InputSchemaJson = ByteString.CopyFromUtf8(schema),
            OutputSchemaJson = ByteString.CopyFromUtf8("""{"type":"string"}"""),
            MetadataJson = ByteString.CopyFromUtf8(schema),
        });

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        Assert.Equal("""{"/flow/a":{"key":"/flow/a","name":"a","outputSchema":{"type":"string"}}}""", answer.At("result", "actions").GetRawText());
        var omissions = (await sidecar.Log.WaitForAsync("ActionsOmitted"))["Omissions"];
        Assert.Contains("/flow/a: input_schema_json", omissions, StringComparison.Ordinal);
        Assert.Contains(reason, omissions, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListActions_MetadataThatTheManagerRefuses_LosesThoseMembersAlone()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        List(sidecar, new V1.Action
        {
            Key = "/flow/a",
            Name = "a",
            MetadataJson = ByteString.CopyFromUtf8("""{"n":null,"keep":[1,"x",{"y":null}],"an":[1,null],"aa":[[1]],"é\n":null,"last":{"n":null}}"""),
        });

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        Assert.Equal("""{"keep":[1,"x",{"y":null}],"last":{"n":null}}""", answer.At("result", "actions", "/flow/a", "metadata").GetRawText());
        var omissions = (await sidecar.Log.WaitForAsync("ActionsOmitted"))["Omissions"];
        Assert.Contains("/flow/a: metadata member \"n\"", omissions, StringComparison.Ordinal);
        Assert.Contains("metadata member \"aa\"", omissions, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListActions_BadActionsAmongGoodOnes_AreLeftOutAndNamed()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        List(
            sidecar,
            new V1.Action { Key = "", Name = "lost" },
            new V1.Action { Key = "/flow/nameless", Name = "" },
            new V1.Action { Key = "/flow/twice", Name = "first" },
            new V1.Action { Key = "/flow/good", Name = "good" },
            new V1.Action { Key = "/flow/twice", Name = "second" });

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        Assert.Equal(
            """{"/flow/good":{"key":"/flow/good","name":"good"},"/flow/twice":{"key":"/flow/twice","name":"second"}}""",
            answer.At("result", "actions").GetRawText());
        var omissions = (await sidecar.Log.WaitForAsync("ActionsOmitted"))["Omissions"];
        Assert.Contains("an action without a key (name \"lost\")", omissions, StringComparison.Ordinal);
        Assert.Contains("/flow/nameless: it has no name", omissions, StringComparison.Ordinal);
        Assert.Contains("/flow/twice: it is listed more than once, the last counts", omissions, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListActions_SameOmissionsAgain_AreLoggedOnce()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        List(sidecar, new V1.Action { Key = "/flow/nameless" });

        await sidecar.Peer.AssertAnswersAsync();
        await sidecar.Peer.AssertAnswersAsync();

        Assert.Equal(1, sidecar.Log.Count("ActionsOmitted"));
    }

    [Fact]
    public async Task ListActions_InvalidUtf8InASchema_LeavesOutTheSchema()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        List(sidecar, new V1.Action { Key = "/flow/a", Name = "a", InputSchemaJson = ByteString.CopyFrom([(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}']) });

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        Assert.False(answer.At("result", "actions", "/flow/a").Has("inputSchema"));
    }

    [Theory]
    [InlineData(70_000)]
    [InlineData(300_000)]
    public async Task ListActions_OverTheMessageLimit_ReportsItAndTheConnectionStays(int length)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-message-bytes", "64KiB");
        List(sidecar, new V1.Action { Key = "/flow/big", Name = "big", Description = new string('x', length) });

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));
        sidecar.Application.List("/flow/small");

        Assert.Contains("--max-message-bytes", answer.AssertFailure(8), StringComparison.Ordinal);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task ListActions_AnswerThatIsNoMessage_IsInternal()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Methods["ListActions"] = async call =>
        {
            await call.WriteRawAsync(new byte[] { 0, 0, 0, 0, 2, 0x0A, 0x7F });
            call.End();
        };

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        answer.AssertFailure(13, "The application's answer to ListActions is not a ListActionsResponse");
    }

    [Fact]
    public async Task ListActions_ApplicationFails_PassesItsStatusOn()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Methods["ListActions"] = call =>
        {
            call.End(7, "not for you");
            return Task.CompletedTask;
        };

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        var details = answer.AssertFailure(7, "not for you");
        Assert.Equal("{}", details.GetRawText());
    }

    [Fact]
    public async Task ListActions_ManyActions_AreAllThere()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.List([.. Enumerable.Range(0, 2000).Select(i => $"/flow/{i}")]);

        await sidecar.Peer.SendAsync(Requests.ListActions("1"));
        var bytes = await sidecar.Peer.ReceiveBytesAsync();

        Assert.Contains("/flow/1999", Encoding.UTF8.GetString(bytes!), StringComparison.Ordinal);
    }

    private static void List(RegisteredSidecar sidecar, params V1.Action[] actions)
    {
        var response = new V1.ListActionsResponse { Actions = { actions } };
        sidecar.Application.Methods["ListActions"] = call => call.ReplyAsync(response);
    }
}
