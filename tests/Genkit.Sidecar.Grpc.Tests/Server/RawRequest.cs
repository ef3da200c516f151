using System.Net;

namespace Genkit.Sidecar.Grpc.Tests.Server;

/// <summary>An HTTP/2 request that no client of gRPC would make.</summary>
internal static class RawRequest
{
    public static HttpRequestMessage Create(GrpcHost host, byte[] body, params (string Name, string Value)[] headers) =>
        Create(host, new ByteArrayContent(body), headers);

    /// <summary>A proper one but for these headers; an empty value takes the header away.</summary>
    public static HttpRequestMessage Create(GrpcHost host, HttpContent content, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, host.Address + GrpcHost.Method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        Dictionary<string, string> all = new() { ["content-type"] = "application/grpc", ["te"] = "trailers" };
        foreach (var (name, value) in headers)
        {
            all[name] = value;
        }

        foreach (var (name, value) in all.Where(header => header.Value.Length > 0))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }

    /// <summary>A message with its prefix.</summary>
    public static byte[] Framed(params byte[] message)
    {
        var framed = new byte[MessagePrefix.Length + message.Length];
        MessagePrefix.Write(framed, message.Length, compressed: false);
        message.CopyTo(framed, MessagePrefix.Length);
        return framed;
    }

    public static async Task<HttpResponseMessage> ExchangeAsync(this HttpClient http, HttpRequestMessage request) =>
        await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken).WaitAsync(Timeouts.Default);

    /// <summary>The status in the trailers or, where there is nothing else, in the headers.</summary>
    public static async Task<GrpcStatus> StatusAsync(this HttpResponseMessage response)
    {
        await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).WaitAsync(Timeouts.Default);
        var metadata = new GrpcMetadata();
        foreach (var header in response.Headers.Concat(response.TrailingHeaders))
        {
            foreach (var value in header.Value)
            {
                metadata.AddReceived(header.Key, value);
            }
        }

        return ResponseStatus.Read(metadata)!;
    }
}
