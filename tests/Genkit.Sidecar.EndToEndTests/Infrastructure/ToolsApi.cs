using System.Net.Http.Json;
using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The HTTP interface of `genkit start`, as the Dev UI uses it.</summary>
internal sealed class ToolsApi(Uri address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = address, Timeout = Timeouts.Default };

    /// <summary>Returns the Tools API of a `genkit start` when it has a runtime.</summary>
    public static async Task<ToolsApi> OfAsync(RunningProcess cli)
    {
        const string Announcement = "Genkit Developer UI: ";
        var line = await cli.Output.FirstAsync(line => line.StartsWith(Announcement, StringComparison.Ordinal), "the address of the Dev UI");
        var tools = new ToolsApi(new Uri(line[Announcement.Length..]));
        await tools.RegisteredAsync();
        return tools;
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Waits until a runtime has registered. Polls, as the Dev UI does, because the CLI sends no notification.</summary>
    public Task RegisteredAsync() =>
        Repeated.AskAsync(() => QueryAsync("getCurrentRuntime"), runtime => runtime.TryGetProperty("id", out _));

    /// <summary>Calls one of the tRPC queries.</summary>
    public async Task<JsonElement> QueryAsync(string procedure, string input = "{}") => Unwrap(
        await _http.GetFromJsonAsync<JsonElement>($"api/{procedure}?input={Uri.EscapeDataString(input)}", Cancelled));

    /// <summary>Waits until these spans of a trace have ended.</summary>
    public Task TraceAsync(string traceId, params IEnumerable<string> spans) =>
        Repeated.AskAsync(() => QueryAsync("getTrace", $$"""{"traceId": "{{traceId}}"}"""), trace => new ReadTrace(trace).Has(spans));

    /// <summary>Calls one of the tRPC mutations.</summary>
    public async Task<JsonElement> MutateAsync(string procedure, string input)
    {
        using var response = await PostAsync(procedure, input, HttpCompletionOption.ResponseContentRead);
        return Unwrap(await response.Content.ReadFromJsonAsync<JsonElement>(Cancelled));
    }

    public async Task<(string TraceId, JsonElement Answer)> RunActionAsync(string request)
    {
        using var response = await PostAsync("runAction", request, HttpCompletionOption.ResponseContentRead);
        return (TraceIdOf(response), await response.Content.ReadFromJsonAsync<JsonElement>(Cancelled));
    }

    public async Task<ToolsApiStream> StreamActionAsync(string request, bool bidi = false)
    {
        var response = await PostAsync(
            bidi ? "streamAction?bidi=true" : "streamAction", request, HttpCompletionOption.ResponseHeadersRead);
        return await ToolsApiStream.OpenAsync(response, TraceIdOf(response), Cancelled);
    }

    public async Task PostAsync(string path, string body)
    {
        using var response = await PostAsync(path, body, HttpCompletionOption.ResponseContentRead);
        response.EnsureSuccessStatusCode();
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> PostAsync(string path, string body, HttpCompletionOption completion)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"api/{path}")
        {
            Content = new StringContent(body, mediaType: new("application/json")),
        };
        return await _http.SendAsync(request, completion, Cancelled);
    }

    private static string TraceIdOf(HttpResponseMessage response) => response.Headers.GetValues("X-Genkit-Trace-Id").Single();

    private static JsonElement Unwrap(JsonElement response) =>
        response.TryGetProperty("result", out var result)
            ? result.GetProperty("data")
            : throw new InvalidOperationException($"The Tools API answered {response.GetRawText()}");
}
