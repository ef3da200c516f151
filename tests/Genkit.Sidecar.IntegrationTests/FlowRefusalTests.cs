using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Requests that are refused and start no run.</summary>
public sealed class FlowRefusalTests
{
    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("PATCH")]
    public async Task Method_OtherThanPost_Is405(string method)
    {
        await using var flows = await FlowSidecar.StartAsync();

        using var request = new HttpRequestMessage(new HttpMethod(method), "/f");
        var reply = await flows.SendAsync(request);

        Assert.Equal((405, "POST"), (reply.Status, reply.Header("Allow")));
        Assert.Equal("""{"status":"UNIMPLEMENTED","message":"Flows are called with POST"}""", reply.Body);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/jsonp")]
    [InlineData("json")]
    [InlineData("")]
    public async Task MediaType_OtherThanJson_Is415(string contentType)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("f", "1");
        var header = contentType.Length == 0 ? "" : $"Content-Type: {contentType}\r\n";

        var answer = await flows.ExchangeAsync($"POST /f HTTP/1.1\r\nHost: localhost\r\n{header}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}");

        Assert.StartsWith("HTTP/1.1 415 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("RunAction", flows.Application.Calls);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("APPLICATION/JSON ; CHARSET=UTF-8")]
    [InlineData("application/json; charset=\"utf-8\"; x=y")]
    [InlineData("application/json\r\nContent-Encoding: identity")]
    public async Task MediaType_OfJson_IsTaken(string contentType)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("f", "1");

        var answer = await flows.ExchangeAsync($"POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: {contentType}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ContentEncoding_OfTheRequest_Is415()
    {
        await using var flows = await FlowSidecar.StartAsync();
        using var request = FlowSidecar.Request("/f");
        request.Content!.Headers.ContentEncoding.Add("gzip");

        Assert.Equal(415, (await flows.SendAsync(request)).Status);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"data\":}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("{}{}")]
    [InlineData(" ")]
    [InlineData("{\"data\":\"a\nb\"}")]
    public async Task Body_ThatIsNoObject_Is400WithoutItsContent(string body)
    {
        await using var flows = await FlowSidecar.StartAsync();

        var reply = await flows.PostAsync("/f", body);

        Assert.Equal((400, "INVALID_ARGUMENT"), (reply.Status, reply.Code));
        Assert.StartsWith("The body is not a JSON object such as {\"data\": …}: ", reply.ErrorMessage, StringComparison.Ordinal);
        Assert.DoesNotContain("RunAction", flows.Application.Calls);
    }

    [Fact]
    public async Task Body_InvalidUtf8_Is400()
    {
        await using var flows = await FlowSidecar.StartAsync();
        using var request = FlowSidecar.Request("/f");
        request.Content = new ByteArrayContent([.. "{\"data\":\""u8, 0xC3, 0x28, .. "\"}"u8]) { Headers = { ContentType = new("application/json") } };

        Assert.Contains("not valid UTF-8", (await flows.SendAsync(request)).ErrorMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1024, 200)]
    [InlineData(1025, 413)]
    public async Task Body_AroundTheLimit_IsTakenOr413(int length, int status)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-max-body-bytes", "1KiB");
        flows.WithResult("f", "1");
        var body = $$"""{"data":"{{new string('x', length - 11)}}"}""";
        Assert.Equal(length, body.Length);

        Assert.Equal(status, (await flows.PostAsync("/f", body)).Status);
    }

    [Theory]
    [InlineData(1000, 200)]
    [InlineData(1025, 413)]
    public async Task Body_OfUnknownLength_IsTakenOr413(int length, int status)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-max-body-bytes", "1KiB");
        flows.WithResult("f", "1");
        var body = $$"""{"data":"{{new string('x', length - 11)}}"}""";

        var answer = await flows.ExchangeAsync(
            $"POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_TooLarge_SaysTheLimit()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-max-body-bytes", "1KiB");

        var reply = await flows.PostAsync("/f", new string(' ', 2000));

        Assert.Equal("""{"status":"INVALID_ARGUMENT","message":"The body has more than 1024 bytes"}""", reply.Body);
    }

    [Fact]
    public async Task Body_ThatNeverComes_Is408()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-timeout", "500ms");

        var answer = await flows.ExchangeAsync("POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{");

        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("The body came too slowly", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("RunAction", flows.Application.Calls);
    }

    [Theory]
    [InlineData("zz\r\n{}\r\n0\r\n\r\n")]
    [InlineData("2\r\n{}}\r\n0\r\n\r\n")]
    public async Task Body_BadlyChunked_Is400(string chunks)
    {
        await using var flows = await FlowSidecar.StartAsync();

        var answer = await flows.ExchangeAsync(
            $"POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:1234", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("[::1]:80", 200)]
    [InlineData("evil.example", 403)]
    [InlineData("localhost.evil.example", 403)]
    [InlineData("10.0.0.1", 403)]
    public async Task Host_OfAnotherMachine_IsRefusedWithoutAToken(string host, int status)
    {
        await using var flows = await FlowSidecar.StartAsync();
        await using var withToken = await FlowSidecar.StartAsync("--flow-token", "t0ken");
        using var request = FlowSidecar.Request("/f");
        request.Headers.Host = host;
        using var second = FlowSidecar.Request("/f", "{}", ("Authorization", "Bearer t0ken"));
        second.Headers.Host = host;

        Assert.Equal(status, (await flows.WithResult("f", "1").SendAsync(request)).Status);
        Assert.Equal(200, (await withToken.WithResult("f", "1").SendAsync(second)).Status);
    }

    [Theory]
    [InlineData("https://evil.example", 403)]
    [InlineData("null", 403)]
    [InlineData("http://localhost:9", 403)]
    [InlineData("https://app.example.evil.example", 403)]
    [InlineData("https://app.example", 200)]
    [InlineData(null, 200)]
    public async Task Origin_ThatIsNotNamed_IsRefused(string? origin, int status)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-cors-origin", "https://app.example");

        var reply = await flows.WithResult("f", "1").PostAsync("/f", "{}", origin is null ? [] : [("Origin", origin)]);

        Assert.Equal(status, reply.Status);
        Assert.Equal(status == 200 ? origin : null, reply.Header("Access-Control-Allow-Origin"));
        Assert.Equal(status == 200, flows.Application.Calls.Contains("RunAction"));
    }

    [Fact]
    public async Task Origin_OfTheServerItself_IsTaken()
    {
        await using var flows = await FlowSidecar.StartAsync();

        Assert.Equal(200, (await flows.WithResult("f", "1").PostAsync("/f", "{}", ("Origin", $"http://{flows.EndPoint}"))).Status);
    }

    [Theory]
    [InlineData("https://app.example", "https://app.example", 204, "https://app.example")]
    [InlineData("*", "https://any.example", 204, "*")]
    [InlineData("https://app.example", "https://evil.example", 403, null)]
    public async Task Preflight_OfAPage_IsAnsweredWithoutATokenForNamedOriginsAlone(string allowed, string origin, int status, string? answered)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-cors-origin", allowed, "--flow-token", "t0ken");
        using var request = new HttpRequestMessage(HttpMethod.Options, "/f")
        {
            Headers = { { "Origin", origin }, { "Access-Control-Request-Method", "POST" }, { "Access-Control-Request-Headers", "authorization,content-type" } },
        };

        var reply = await flows.SendAsync(request);

        Assert.Equal((status, answered), (reply.Status, reply.Header("Access-Control-Allow-Origin")));
        Assert.Equal(answered is null ? null : "authorization,content-type", reply.Header("Access-Control-Allow-Headers"));
        Assert.Null(reply.Header("Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Bearer wrong", 401)]
    [InlineData("Bearer t0kens", 401)]
    [InlineData("Basic t0ken", 401)]
    [InlineData("t0ken", 401)]
    [InlineData("bearer t0ken", 200)]
    public async Task Token_OtherThanTheOne_Is401(string? authorization, int status)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-token", "t0ken");

        var reply = await flows.WithResult("f", "1").PostAsync("/f", "{}", authorization is null ? [] : [("Authorization", authorization)]);

        Assert.Equal(status, reply.Status);
        Assert.Equal(status == 401 ? "Bearer" : null, reply.Header("WWW-Authenticate"));
        Assert.Equal(status == 200, flows.Application.Calls.Contains("RunAction"));
        Assert.DoesNotContain("t0ken", string.Join('\n', flows.Log.Events), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rate_OverTheBurst_Is429PerClientAndNotForProbes()
    {
        // One request a second: only a machine that takes seconds for this test allows more. The clients that a proxy names show that the limit holds.
        await using var flows = await FlowSidecar.StartAsync("--flow-rate-limit", "1", "--flow-rate-burst", "3", "--flow-client-header", "X-Forwarded-For");
        flows.WithResult("f", "1");

        var replies = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => flows.PostAsync("/f", "{}", ("X-Forwarded-For", "192.0.2.9, 192.0.2.1"))));

        Assert.Contains(200, replies.Select(reply => reply.Status));
        var refused = replies.Where(reply => reply.Status != 200).ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, reply => Assert.Equal((429, "RESOURCE_EXHAUSTED"), (reply.Status, reply.Code)));
        Assert.All(refused, reply => Assert.InRange(int.Parse(reply.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 5));
        Assert.Equal(200, (await flows.PostAsync("/f", "{}", ("X-Forwarded-For", "192.0.2.1, 192.0.2.2"))).Status);
        Assert.Equal(200, (await flows.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/healthz"))).Status);
    }

    [Fact]
    public async Task Rate_OfClientsThatAProxyNamesWithTheirPorts_IsCountedForEach()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-rate-limit", "1", "--flow-rate-burst", "1", "--flow-client-header", "X-Forwarded-For");
        flows.WithResult("f", "1");

        foreach (var client in new[] { "192.0.2.1:50001", "192.0.2.2:50001", "192.0.2.3", "[2001:db8:1::1]:50001", "2001:db8:2::1" })
        {
            Assert.Equal(200, (await flows.PostAsync("/f", "{}", ("X-Forwarded-For", client))).Status);
        }
    }

    [Fact]
    public async Task Concurrency_OverTheCap_Is503UntilOneHasEnded()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-max-concurrent", "1");
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        flows.Application.Actions["/flow/slow"] = async (call, _) =>
        {
            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };
        flows.WithResult("f", "1");

        using (await flows.OpenAsync("/slow"))
        {
            var reply = await flows.PostAsync("/f");
            Assert.Equal((503, "UNAVAILABLE", "1"), (reply.Status, reply.Code, reply.Header("Retry-After")));
            Assert.Equal(200, (await flows.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/healthz"))).Status);
        }

        await cancelled.Task.InTimeAsync();
        using var limit = new CancellationTokenSource(Timeouts.Default);
        while ((await flows.PostAsync("/f")).Status != 200)
        {
            Assert.False(limit.IsCancellationRequested, "the place of a request that has ended is never free");
        }
    }

    [Theory]
    [InlineData("GET", "ok\n")]
    [InlineData("HEAD", "")]
    public async Task Health_OfAnyHostWithoutToken_SaysWhetherTheApplicationAnswers(string method, string body)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-token", "t0ken");
        using var request = new HttpRequestMessage(new HttpMethod(method), "/healthz") { Headers = { Host = "any.example" } };

        var reply = await flows.SendAsync(request);

        Assert.Equal((200, body), (reply.Status, reply.Body));
    }

    [Fact]
    public async Task Health_NoApplication_Is503AndNoMore()
    {
        await using var flows = await FlowSidecar.StartAsync();
        await flows.Application.DisposeAsync();

        var reply = await flows.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/healthz"));

        Assert.Equal((503, "not ready\n"), (reply.Status, reply.Body));
    }

    [Theory]
    [InlineData("GARBAGE\r\n\r\n", "400")]
    [InlineData("POST /f HTTP/1.1\r\n\r\n", "400")]
    [InlineData("POST /%zz%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "40")]
    [InlineData("POST /../f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "200")]
    public async Task Request_ThatIsHardlyHttp_IsAnsweredAllTheSame(string sent, string status)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("f", "1");

        Assert.StartsWith($"HTTP/1.1 {status}", await flows.ExchangeAsync(sent), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_OnHttp10_IsAnsweredToItsEnd()
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("f", "1");

        Assert.EndsWith("data: {\"result\":1}\n\n", await flows.ExchangeAsync("POST /f?stream=true HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), StringComparison.Ordinal);
    }
}
