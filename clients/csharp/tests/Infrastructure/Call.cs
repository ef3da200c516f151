using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>One gRPC call over HttpClient. It shares no code with the server.</summary>
internal sealed class Call : IAsyncDisposable
{
    private readonly Pipe _requests = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly CancellationTokenSource _cancelled = new();
    private readonly Task<HttpResponseMessage> _response;
    private Stream? _body;

    public Call(HttpClient client, string method, IReadOnlyDictionary<string, string> metadata)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new Requests(_requests.Reader),
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach (var (name, value) in metadata)
        {
            request.Headers.Add(name, value);
        }

        _response = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _cancelled.Token);
    }

    /// <summary>Status of the call after it has ended.</summary>
    public (int Code, string Message) Status { get; private set; }

    public async Task WriteAsync(IMessage message)
    {
        var bytes = new byte[5 + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), bytes.Length - 5);
        message.WriteTo(bytes.AsSpan(5));
        await _requests.Writer.WriteAsync(bytes);
    }

    public void Complete() => _requests.Writer.Complete();

    public void Cancel()
    {
        _cancelled.Cancel();
        if (_response.IsCompletedSuccessfully)
        {
            // Disposing a response that has started resets the stream.
            _response.Result.Dispose();
        }
    }

    /// <summary>Reads the next message. Returns null at the end of the call, when the status is available.</summary>
    public async Task<T?> ReadAsync<T>(MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        var response = await _response;
        _body ??= await response.Content.ReadAsStreamAsync(_cancelled.Token);
        var prefix = new byte[5];
        if (await _body.ReadAtLeastAsync(prefix, prefix.Length, throwOnEndOfStream: false, _cancelled.Token) < prefix.Length)
        {
            var ends = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
            Status = (int.Parse(ends.GetValues("grpc-status").Single(), null), ends.TryGetValues("grpc-message", out var message) ? Uri.UnescapeDataString(message.Single()) : "");
            return null;
        }

        var bytes = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await _body.ReadExactlyAsync(bytes, _cancelled.Token);
        return parser.ParseFrom(bytes);
    }

    public async ValueTask DisposeAsync()
    {
        await _requests.Writer.CompleteAsync();
        Cancel();
        await ((Task)_response).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _cancelled.Dispose();
    }

    private sealed class Requests : HttpContent
    {
        private readonly PipeReader _reader;

        public Requests(PipeReader reader)
        {
            _reader = reader;
            Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            // Flush, because HttpClient otherwise buffers the message while the caller waits for an answer.
            await stream.FlushAsync(cancellationToken);
            while (true)
            {
                var read = await _reader.ReadAsync(cancellationToken);
                foreach (var piece in read.Buffer)
                {
                    await stream.WriteAsync(piece, cancellationToken);
                }

                await stream.FlushAsync(cancellationToken);
                _reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
