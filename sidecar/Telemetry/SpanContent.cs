using System.Net;
using System.Net.Http.Headers;

namespace Genkit.Sidecar.Telemetry;

/// <summary>A body as HTTP sends it.</summary>
internal sealed class SpanContent : HttpContent
{
    private readonly SpanBody _body;

    public SpanContent(SpanBody body)
    {
        _body = body;
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _body.CopyToAsync(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _body.CopyToAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}
