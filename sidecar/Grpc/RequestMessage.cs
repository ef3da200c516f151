using System.Net;
using System.Net.Http.Headers;

namespace Genkit.Sidecar.Grpc;

/// <summary>The HTTP request of a call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Requests".</summary>
internal static class RequestMessage
{
    public static HttpRequestMessage Create(Uri address, GrpcChannelOptions channel, GrpcCallOptions call, TimeSpan? timeout, RequestContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        var headers = request.Headers;
        if (channel.Authority is not null)
        {
            headers.Host = channel.Authority;
        }

        headers.TryAddWithoutValidation("te", "trailers");
        headers.TryAddWithoutValidation("user-agent", channel.UserAgent);
        headers.TryAddWithoutValidation("grpc-accept-encoding", "identity,gzip");
        if (call.Compress)
        {
            headers.TryAddWithoutValidation("grpc-encoding", Gzip.Name);
        }

        if (timeout is { } remaining)
        {
            headers.TryAddWithoutValidation("grpc-timeout", TimeoutHeader.Encode(remaining));
        }

        Add(headers, channel.Metadata);
        Add(headers, call.Metadata);
        return request;
    }

    private static void Add(HttpRequestHeaders headers, GrpcMetadata? metadata)
    {
        if (metadata is null)
        {
            return;
        }

        foreach (var (name, value) in metadata)
        {
            headers.TryAddWithoutValidation(name, value);
        }
    }
}
