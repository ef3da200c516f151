using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>HTTP status and body of failed flows, and which details clients do not see.</summary>
public sealed class FlowErrorTests
{
    [Theory]
    [InlineData(1, 499, "CANCELLED")]
    [InlineData(3, 400, "INVALID_ARGUMENT")]
    [InlineData(4, 504, "DEADLINE_EXCEEDED")]
    [InlineData(5, 404, "NOT_FOUND")]
    [InlineData(6, 409, "ALREADY_EXISTS")]
    [InlineData(7, 403, "PERMISSION_DENIED")]
    [InlineData(8, 429, "RESOURCE_EXHAUSTED")]
    [InlineData(9, 400, "FAILED_PRECONDITION")]
    [InlineData(10, 409, "ABORTED")]
    [InlineData(11, 400, "OUT_OF_RANGE")]
    [InlineData(12, 501, "UNIMPLEMENTED")]
    [InlineData(14, 503, "UNAVAILABLE")]
    [InlineData(16, 401, "UNAUTHENTICATED")]
    public async Task Failure_OfTheFlowsOwn_HasItsStatusAndItsMessage(int code, int status, string name)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.Application.Actions["/flow/f"] = (call, _) => call.ErrorAsync(code, "as asked", """{"why":"asked"}""", stack: "at flow.py:7");

        var reply = await flows.PostAsync("/f");

        Assert.Equal(status, reply.Status);
        Assert.Equal($$$"""{"details":{"why":"asked"},"status":"{{{name}}}","message":"as asked"}""", reply.Body);
        Assert.Equal("application/json; charset=utf-8", reply.ContentType);
        Assert.NotNull(reply.Header("x-genkit-trace-id"));
    }

    [Theory]
    [InlineData(2, "UNKNOWN")]
    [InlineData(13, "INTERNAL")]
    [InlineData(15, "DATA_LOSS")]
    public async Task Failure_Internal_IsShownInDevelopmentOnly(int code, string name)
    {
        await using (var flows = await FlowSidecar.StartAsync())
        {
            flows.Application.Actions["/flow/f"] = (call, _) => call.ErrorAsync(code, "password is x", """{"why":"asked"}""", stack: "at flow.py:7");

            var reply = await flows.PostAsync("/f");
            Assert.Equal((500, """{"status":"INTERNAL","message":"Internal Error"}"""), (reply.Status, reply.Body));
            Assert.Equal("data: {\"error\":{\"status\":\"INTERNAL\",\"message\":\"Internal Error\"}}\n\n", (await flows.PostAsync("/f?stream=true")).Body);
        }

        await using (var flows = await FlowSidecar.StartAsync("--genkit-env", "dev", "--reflection-v1", "off"))
        {
            flows.Application.Actions["/flow/f"] = (call, _) => call.ErrorAsync(code, "password is x", """{"why":"asked"}""", stack: "at flow.py:7");

            var reply = await flows.PostAsync("/f");
            Assert.Equal((500, $$$"""{"details":{"why":"asked"},"status":"{{{name}}}","message":"password is x"}"""), (reply.Status, reply.Body));
        }
    }

    [Theory]
    [InlineData("prod", """{"details":{"a":1,"b":3},"status":"NOT_FOUND","message":"m"}""")]
    [InlineData("dev", """{"details":{"a":1,"stack":"at x.py:1","b":3},"status":"NOT_FOUND","message":"m"}""")]
    public async Task Failure_StackAmongItsDetails_IsKeptInDevelopmentAlone(string environment, string body)
    {
        await using var flows = await FlowSidecar.StartAsync("--genkit-env", environment, "--reflection-v1", "off");
        flows.Application.Actions["/flow/f"] = (call, _) => call.ErrorAsync(5, "m", """{"a":1,"stack":"at x.py:1","b":3}""", stack: "at y.py:2");

        Assert.Equal(body, (await flows.PostAsync("/f")).Body);
    }

    [Theory]
    [InlineData("prod", """[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"},1]""")]
    [InlineData("dev", """[{"stackEntries":["at x.py:1"],"@type":"type.googleapis.com/google.rpc.DebugInfo"},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"},1]""")]
    public async Task Failure_DebugInfoAmongItsDetails_IsKeptInDevelopmentAlone(string environment, string details)
    {
        await using var flows = await FlowSidecar.StartAsync("--genkit-env", environment, "--reflection-v1", "off");
        flows.Application.Actions["/flow/f"] = (call, _) => call.ErrorAsync(
            5,
            "m",
            """{"a":1,"details":[{"stackEntries":["at x.py:1"],"@type":"type.googleapis.com/google.rpc.DebugInfo"},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"},1],"b":2}""",
            stack: "");

        Assert.Equal($$$"""{"details":{"a":1,"details":{{{details}}},"b":2},"status":"NOT_FOUND","message":"m"}""", (await flows.PostAsync("/f")).Body);
    }

    [Fact]
    public async Task Failure_CallThatBreaks_SaysNothingOfTheApplicationsAddress()
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.Application.Actions["/flow/reset"] = (call, _) =>
        {
            call.Reset();
            return Task.CompletedTask;
        };
        flows.Application.Actions["/flow/silent"] = (_, _) => Task.CompletedTask;
        flows.Application.Methods["ListActions"] = call => call.ReplyAsync(new V1.ListActionsResponse());

        Assert.Equal("""{"status":"INTERNAL","message":"Internal Error"}""", (await flows.PostAsync("/reset")).Body);
        Assert.Equal("""{"status":"INTERNAL","message":"Internal Error"}""", (await flows.PostAsync("/silent")).Body);
    }

    [Fact]
    public async Task Failure_NoApplication_Is503AndTheLogHasTheReason()
    {
        await using var flows = await FlowSidecar.StartAsync();
        var address = flows.Application.Address;
        await flows.Application.DisposeAsync();

        var reply = await flows.PostAsync("/f", "{}", ("X-Request-ID", "r1"));

        Assert.Equal((503, """{"status":"UNAVAILABLE","message":"The application is not available"}"""), (reply.Status, reply.Body));
        var failure = await flows.Log.WaitForAsync("FlowRunFailed");
        Assert.Equal(("r1", "\"/flow/f\""), (failure["RequestId"], failure["Key"]));
        Assert.Contains(address.Replace("http://", "", StringComparison.Ordinal), failure["Message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failure_ResultIsNoJson_IsInternalAndItsReasonIsInTheLog()
    {
        await using var flows = await FlowSidecar.StartAsync();

        Assert.Equal("""{"status":"INTERNAL","message":"Internal Error"}""", (await flows.WithResult("f", "{not json").PostAsync("/f")).Body);
        Assert.Contains("JSON", (await flows.Log.WaitForAsync("FlowRunFailed"))["Message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failure_MoreRunsThanTheSidecarTakes_Is429()
    {
        await using var flows = await FlowSidecar.StartAsync("--max-concurrent-runs", "1");
        flows.Application.Actions["/flow/slow"] = (call, _) => call.WaitForCancelAsync();
        flows.WithResult("f", "1");
        using (await flows.OpenAsync("/slow"))
        {
            Assert.Equal((429, "RESOURCE_EXHAUSTED"), ((await flows.PostAsync("/f")) is var reply ? (reply.Status, reply.Code) : default));
        }
    }
}
