using System.Net;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The flow server of the published sidecar, called by Genkit's own client and by curl.</summary>
public sealed class FlowServerTests : EndToEndTest
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunFlow_Greet_GivesTheResult(string language)
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, language);

        var printed = await FlowServers.CallAsync(Workspace, "run", $"{server}greet", """{"name": "Ada"}""");

        Assert.Equal(["""{"output":{"greeting":"Hello, Ada!"}}"""], printed);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunFlow_Fail_ThrowsWithStatusAndBody(string language)
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, language);

        var error = Assert.Single(await FlowServers.CallAsync(Workspace, "run", $"{server}fail", """{"code": 7, "message": "no"}"""));

        Assert.StartsWith("""{"error":"Server returned: 403: """, error, StringComparison.Ordinal);
        Assert.Contains("PERMISSION_DENIED", error, StringComparison.Ordinal);
        Assert.Contains("requested", error, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task StreamFlow_Countdown_GivesChunksAndTheResult(string language)
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, language);

        var printed = await FlowServers.CallAsync(Workspace, "stream", $"{server}countdown", """{"from": 3}""");

        Assert.Equal(["""{"chunk":{"count":3}}""", """{"chunk":{"count":2}}""", """{"chunk":{"count":1}}""", """{"output":"Liftoff!"}"""], printed);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task StreamFlow_Fail_ThrowsTheFlowsOwnMessage(string language)
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, language);

        var error = Assert.Single(await FlowServers.CallAsync(Workspace, "stream", $"{server}fail", """{"code": 5, "message": "gone"}"""));

        Assert.StartsWith("""{"error":"NOT_FOUND: gone""", error, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task StreamFlow_Aborted_CancelsTheRun(string language)
    {
        // The sidecar allows one run at a time, so the next request succeeds only after the first run has ended.
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, language, "--flow-max-concurrent", "1", "--flow-rate-limit", "0");

        var printed = await FlowServers.CallAsync(Workspace, "stream", $"{server}slow", """{"seconds": 60}""", "{}", "1");

        Assert.Equal("""{"chunk":"started"}""", printed[0]);
        Assert.Contains("abort", printed[1], StringComparison.Ordinal);
        using var http = new HttpClient();
        using var limit = new CancellationTokenSource(Timeouts.Default);
        while (true)
        {
            using var request = FlowServers.Request(server, "greet", """{"data": {"name": "Ada"}}""");
            using var response = await http.SendAsync(request, limit.Token);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                return;
            }

            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }
    }

    [Fact]
    public async Task RunFlow_WithAToken_IsForThoseWhoHaveIt()
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, "python", "--flow-token", "t0ken", "--flow-path-prefix", "/api");

        var without = await FlowServers.CallAsync(Workspace, "run", $"{server}/greet", """{"name": "Ada"}""");
        var with = await FlowServers.CallAsync(Workspace, "run", $"{server}/greet", """{"name": "Ada"}""", """{"Authorization": "Bearer t0ken"}""");

        Assert.StartsWith("""{"error":"Server returned: 401: """, Assert.Single(without), StringComparison.Ordinal);
        Assert.Equal(["""{"output":{"greeting":"Hello, Ada!"}}"""], with);
    }

    [Fact]
    public async Task Curl_Countdown_PrintsEvents()
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, "python");

        var curl = Workspace.Start(
        [
            "curl", "--silent", "--show-error", "--fail", "--no-buffer", "--header", "Content-Type: application/json", "--header", "Accept: text/event-stream",
            "--data", """{"data": {"from": 2}}""", $"{server}countdown",
        ]);

        Assert.Equal(0, await curl.ExitAsync());
        Assert.Equal(
            ["""data: {"message":{"count": 2}}""", "", """data: {"message":{"count": 1}}""", "", """data: {"result":"Liftoff!"}""", ""],
            curl.Output.Snapshot());
    }

    [Fact]
    public async Task Curl_Compressed_IsReadByIt()
    {
        var (_, server) = await FlowServers.StartSidecarAsync(Workspace, "python");
        var name = new string('x', 5000);

        var curl = Workspace.Start(
        [
            "curl", "--silent", "--show-error", "--fail", "--compressed", "--dump-header", "-", "--header", "Content-Type: application/json",
            "--data", $$$"""{"data": {"name": "{{{name}}}"}}""", $"{server}greet",
        ]);

        Assert.Equal(0, await curl.ExitAsync());
        Assert.Contains(curl.Output.Snapshot(), line => line.StartsWith("Content-Encoding: ", StringComparison.OrdinalIgnoreCase));
        Assert.Contains($$$"""{"result":{"greeting": "Hello, {{{name}}}!"}}""", curl.Output.Snapshot());
    }

    [Fact]
    public async Task Sidecar_Terminated_AnswersWhatIsUnderWayAndEndsWell()
    {
        var (sidecar, server) = await FlowServers.StartSidecarAsync(Workspace, "python");
        using var http = new HttpClient();
        using var request = FlowServers.Request(server, "slow", """{"data": {"seconds": 60}}""", "text/event-stream");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal("""data: {"message":"started"}""", await events.ReadLineAsync(Cancellation).AsTask().WaitAsync(Timeouts.Default, Cancellation));

        Signal.Terminate.Send(sidecar.Id);

        // The application exited first, which ended the run.
        Assert.StartsWith("\ndata: {\"error\":{", await events.ReadToEndAsync(Cancellation).WaitAsync(Timeouts.Default, Cancellation), StringComparison.Ordinal);
        Assert.Equal(0, await sidecar.ExitAsync());
        SidecarLog.AssertHasNoErrors(sidecar.Errors.Snapshot());
    }
}
