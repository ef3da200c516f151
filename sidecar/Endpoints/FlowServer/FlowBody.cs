using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.FlowServer;

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
    /// <param name="request">Whose body.</param>
    /// <param name="maxBytes">What Kestrel takes, worded for users.</param>
    /// <param name="deadline">The body is too late.</param>
    /// <returns>The body, which is the caller's to dispose, or why it is none.</returns>
    /// <exception cref="IOException">The client is gone.</exception>
    public static async Task<(FlowBody? Body, Refusal? Refusal)> ReadAsync(HttpRequest request, long maxBytes, CancellationToken deadline)
    {
        var body = new FlowBody();
        try
        {
            if (!await body.FillAsync(request.BodyReader, deadline))
            {
                return (Abandon(body), Of(StatusCodes.Status408RequestTimeout, maxBytes));
            }

            return body.Slice() is { } problem
                ? (Abandon(body), new Refusal(StatusCodes.Status400BadRequest, StatusCode.InvalidArgument, problem))
                : (body, null);
        }
        catch (BadHttpRequestException exception)
        {
            return (Abandon(body), Of(exception.StatusCode, maxBytes));
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
        StatusCodes.Status413PayloadTooLarge => new(status, StatusCode.InvalidArgument, $"The body has more than {maxBytes} bytes"),
        StatusCodes.Status408RequestTimeout => new(status, StatusCode.DeadlineExceeded, "The body came too slowly"),
        _ => new(StatusCodes.Status400BadRequest, StatusCode.InvalidArgument, "The body has not come as its headers said"),
    };

    /// <returns>False if the deadline came first.</returns>
    private async Task<bool> FillAsync(PipeReader reader, CancellationToken deadline)
    {
        // Not by the token: Kestrel cannot read on, to the next request, where a read was cut off by one.
        await using var cancelling = deadline.Register(reader.CancelPendingRead);
        while (true)
        {
            var read = await reader.ReadAsync(CancellationToken.None);
            foreach (var segment in read.Buffer)
            {
                _bytes.Writer.Write(segment.Span);
            }

            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                await _bytes.Writer.CompleteAsync();
                return true;
            }

            // A body that is all there has come in time, whatever the clock says by now; its run is what is late then.
            if (read.IsCanceled)
            {
                return false;
            }
        }
    }

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
