using System.Text;
using System.Text.Json.Nodes;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>
/// Sends the same requests to the sidecar and to Genkit's flow server for Express, which serve the same flows. All differences are listed
/// here with their reasons.
/// </summary>
public sealed class FlowServerComparisonTests : EndToEndTest
{
    private readonly HttpClient _http = new();
    private Uri _sidecar = null!;
    private Uri _genkit = null!;

    public override async ValueTask InitializeAsync()
    {
        (_, _sidecar) = await FlowServers.StartSidecarAsync(Workspace, "python");
        _genkit = await FlowServers.StartGenkitAsync(Workspace);
    }

    [Theory]
    [InlineData("greet", """{"data": {"name": "Ada"}}""", 200)]
    [InlineData("greet", """{"data": {"name": "Ada"}, "init": null, "other": 1}""", 200)]
    [InlineData("greet", """{"data": {"name": 7}}""", 400)]
    [InlineData("greet", """{"data": null}""", 400)]
    [InlineData("greet", "{}", 400)]
    [InlineData("countdown", """{"data": {"from": 2}}""", 200)]
    [InlineData("fail", """{"data": {"code": 3}}""", 400)]
    [InlineData("fail", """{"data": {"code": 5, "message": "no \"such\" thing"}}""", 404)]
    [InlineData("fail", """{"data": {"code": 7}}""", 403)]
    [InlineData("fail", """{"data": {"code": 8}}""", 429)]
    [InlineData("fail", """{"data": {"code": 14}}""", 503)]
    [InlineData("fail", """{"data": {"code": 16}}""", 401)]
    [InlineData("fail", """{"data": {"code": 13}}""", 500)]
    [InlineData("fail", """{"data": {"code": 2}}""", 500)]
    public async Task Answer_OfAFlow_IsTheSame(string path, string body, int status)
    {
        var (ours, theirs) = await BothAsync(path, body);

        Assert.Equal((status, status), (ours.Status, theirs.Status));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(ours.Body), JsonNode.Parse(theirs.Body)), $"{ours.Body}\n{theirs.Body}");
        Assert.Equal(theirs.ContentType, ours.ContentType);

        // Express sends the trace id only for a success. Users need the trace of a failure more often.
        Assert.True(ours.Names.Contains("x-genkit-trace-id") && ours.Names.Contains("x-genkit-span-id"));
        Assert.Equal(status == 200, theirs.Names.Contains("x-genkit-trace-id"));
    }

    [Theory]
    [InlineData("countdown", """{"data": {"from": 3}}""")]
    [InlineData("countdown", "{}")]
    [InlineData("greet", """{"data": {"name": "Ada"}}""")]
    [InlineData("fail", """{"data": {"code": 5}}""")]
    [InlineData("fail", """{"data": {"code": 13}}""")]
    public async Task Events_OfAFlow_AreTheSame(string path, string body)
    {
        foreach (var (query, accept) in new[] { ("", "text/event-stream"), ("?stream=true", null) })
        {
            var (ours, theirs) = await BothAsync(path + query, body, accept);

            Assert.Equal((200, 200), (ours.Status, theirs.Status));
            Assert.Equal(Events(theirs.Body), Events(ours.Body));

            // The media type of server-sent events, as in Genkit's servers for Go and Python. A browser's EventSource and proxies require it.
            Assert.Equal(("text/event-stream", "text/plain"), (ours.ContentType, theirs.ContentType));

            // Server-sent events have no field "error", so a parser would drop it. Genkit's client ignores the field's name.
            Assert.DoesNotContain("error: {", ours.Body, StringComparison.Ordinal);
            Assert.Equal(path == "fail", theirs.Body.Contains("error: {", StringComparison.Ordinal));
        }
    }

    // Refusals have Genkit's error as the body where Express sends HTML. The status is the same or more specific:
    // 405, because the path exists, but not for GET;
    // 415, because Express ignores such a body and runs the flow without input, which any web page could trigger.
    [Theory]
    [InlineData("POST", "nowhere", "{}", "application/json", 404, 404)]
    [InlineData("POST", "greet", "{\"data\":", "application/json", 400, 400)]
    [InlineData("POST", "greet", "7", "application/json", 400, 400)]
    [InlineData("GET", "greet", null, null, 405, 404)]
    [InlineData("POST", "countdown", "{\"data\":{\"from\":1}}", "text/plain", 415, 400)]
    [InlineData("POST", "countdown", "{\"data\":{\"from\":1}}", "application/json; charset=latin1", 415, 415)]
    public async Task Refusal_OfARequest_IsAtLeastAsPlain(string method, string path, string? body, string? contentType, int status, int theirStatus)
    {
        var (ours, theirs) = await BothAsync(() => new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = body is null ? null : new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { { "Content-Type", contentType } } },
        });

        Assert.Equal((status, theirStatus), (ours.Status, theirs.Status));
        Assert.NotNull(JsonNode.Parse(ours.Body)!["status"]);
    }

    [Fact]
    public async Task Body_TooLarge_Is413()
    {
        // Express takes 100 KB by default, the sidecar 1 MiB.
        var (ours, theirs) = await BothAsync("greet", $$$"""{"data": {"name": "{{{new string('x', 2_000_000)}}}"}}""");

        Assert.Equal((413, 413), (ours.Status, theirs.Status));
    }

    [Fact]
    public async Task Headers_OfTheServer_AreFewerAndSafer()
    {
        var (ours, theirs) = await BothAsync("greet", """{"data": {"name": "Ada"}}""");

        Assert.Contains("X-Powered-By", theirs.Names);
        Assert.DoesNotContain("X-Powered-By", ours.Names);
        Assert.DoesNotContain("Server", ours.Names);

        // Express allows every origin, and the author of the server can restrict that. A sidecar does not know which origins to trust.
        Assert.Contains("Access-Control-Allow-Origin", theirs.Names);
        Assert.DoesNotContain("Access-Control-Allow-Origin", ours.Names);
        Assert.Contains("Cache-Control", ours.Names);
        Assert.Contains("X-Request-ID", ours.Names);
    }

    private static List<string> Events(string body) =>
        [.. body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(frame => Normalized(JsonNode.Parse(frame[frame.IndexOf('{', StringComparison.Ordinal)..])!))];

    /// <summary>Writes a JSON document of small depth with its members ordered by name, so that equal documents have equal text.</summary>
    private static string Normalized(JsonNode node) => node is JsonObject members
        ? $"{{{string.Join(',', members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => $"{member.Key}:{(member.Value is null ? "null" : Normalized(member.Value))}"))}}}"
        : node.ToJsonString();

    private Task<(Reply Ours, Reply Theirs)> BothAsync(string path, string body, string? accept = null) =>
        BothAsync(() =>
        {
            var request = FlowServers.Request(_sidecar, path, body, accept);
            request.RequestUri = new Uri(path, UriKind.Relative);
            return request;
        });

    private async Task<(Reply Ours, Reply Theirs)> BothAsync(Func<HttpRequestMessage> request) =>
        (await SendAsync(_sidecar, request()), await SendAsync(_genkit, request()));

    private async Task<Reply> SendAsync(Uri server, HttpRequestMessage request)
    {
        request.RequestUri = new Uri(server, request.RequestUri!);
        using (request)
        {
            using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken).WaitAsync(Timeouts.Default);
            var names = response.Headers.Concat(response.Content.Headers).Select(header => header.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
            return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), $"{response.Content.Headers.ContentType}", names);
        }
    }

    private sealed record Reply(int Status, string Body, string ContentType, IReadOnlySet<string> Names);
}
