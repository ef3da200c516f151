using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.FlowServer;

/// <summary>The body of a request, <c>{"data": …, "init": …}</c>, in pooled memory, and where its two members lie. Others are ignored.</summary>
internal sealed class FlowBody : IDisposable
{
    // All of it stays in the pipe, whose memory is pooled; how much may come, Kestrel bounds.
    private readonly Pipe _bytes = new(new PipeOptions(minimumSegmentSize: 16 * 1024, pauseWriterThreshold: 0, useSynchronizationContext: false));

    private FlowBody()
    {
    }

    /// <summary>Null if it is absent, as it is in a body without a byte.</summary>
    public ReadOnlySequence<byte>? Data { get; private set; }

    /// <inheritdoc cref="Data"/>
    public ReadOnlySequence<byte>? Init { get; private set; }

    /// <summary>Reads a body to its end.</summary>
    /// <returns>The body, which is the caller's to dispose, or why it is none.</returns>
    /// <exception cref="OperationCanceledException">Cancelled, or the client is gone.</exception>
    public static async Task<(FlowBody? Body, Refusal? Refusal)> ReadAsync(HttpRequest request, long maxBytes, CancellationToken cancellationToken)
    {
        var body = new FlowBody();
        try
        {
            await request.BodyReader.CopyToAsync(body._bytes.Writer, cancellationToken);
            await body._bytes.Writer.CompleteAsync();
            return body.Slice() is { } problem
                ? (Abandon(body), new Refusal(StatusCodes.Status400BadRequest, GrpcStatusCode.InvalidArgument, problem))
                : (body, null);
        }
        catch (BadHttpRequestException exception)
        {
            return (Abandon(body), Of(exception.StatusCode, maxBytes));
        }
        catch (IOException exception)
        {
            Abandon(body);
            throw new OperationCanceledException("The client is gone", exception, cancellationToken);
        }
        catch
        {
            Abandon(body);
            throw;
        }
    }

    public void Dispose()
    {
        _bytes.Writer.Complete();
        _bytes.Reader.Complete();
    }

    private static FlowBody? Abandon(FlowBody body)
    {
        body.Dispose();
        return null;
    }

    private static Refusal Of(int status, long maxBytes) => status switch
    {
        StatusCodes.Status413PayloadTooLarge => new(status, GrpcStatusCode.InvalidArgument, $"The body has more than {maxBytes} bytes"),
        StatusCodes.Status408RequestTimeout => new(status, GrpcStatusCode.DeadlineExceeded, "The body came too slowly"),
        _ => new(StatusCodes.Status400BadRequest, GrpcStatusCode.InvalidArgument, "The body has not come as its headers said"),
    };

    /// <returns>What is wrong with the body, without its content; null if nothing is.</returns>
    private string? Slice()
    {
        _bytes.Reader.TryRead(out var read);
        var json = read.Buffer;
        if (json.IsEmpty)
        {
            return null;
        }

        var defect = JsonPayload.FindDefect(json, out var root);
        if (defect is not null || root != JsonTokenType.StartObject)
        {
            return $"The body is not a JSON object such as {{\"data\": …}}: {defect ?? "it is another JSON value"}";
        }

        // Of two members with one name the last counts, as in JSON.parse.
        var reader = new Utf8JsonReader(json, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isData, isInit) = (reader.NameEquals("data"u8), reader.NameEquals("init"u8));
            reader.Read();
            var start = reader.TokenStartIndex;
            reader.Skip();
            var value = json.Slice(start, reader.BytesConsumed - start);
            (Data, Init) = (isData ? value : Data, isInit ? value : Init);
        }

        return null;
    }
}
