using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The answer to streamAction: a line for each chunk, the last one for the result or the error.</summary>
internal sealed class ToolsApiStream : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private ToolsApiStream(HttpResponseMessage response, string traceId, StreamReader reader) =>
        (_response, TraceId, _reader) = (response, traceId, reader);

    public string TraceId { get; }

    public static async Task<ToolsApiStream> OpenAsync(
        HttpResponseMessage response, string traceId, CancellationToken cancellationToken) =>
        new(response, traceId, new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken)));

    /// <summary>Waits for the next line.</summary>
    public async Task<JsonElement> NextAsync()
    {
        var line = await _reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Timeouts.Default);
        return JsonElement.Parse(line ?? throw new InvalidOperationException("The stream has ended."));
    }

    /// <summary>Waits for the end of the stream.</summary>
    public async Task EndAsync() =>
        Assert.Null(await _reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Timeouts.Default));

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
    }
}
