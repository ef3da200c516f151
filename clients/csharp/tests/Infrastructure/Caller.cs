using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;

namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>Calls an application over real gRPC, as the sidecar does.</summary>
internal sealed class Caller : IDisposable
{
    public const string Service = "/genkit.sidecar.v1.ActionService/";

    private static readonly Dictionary<string, string> s_none = [];

    private readonly HttpClient _client;

    /// <param name="address">Address of the server: <c>HOST:PORT</c> or <c>unix:/PATH</c>.</param>
    /// <param name="certificate">Certificate of the server, if it uses TLS.</param>
    public Caller(string address, X509Certificate2? certificate = null)
    {
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == certificate?.GetCertHashString();
        if (address.StartsWith("unix:", StringComparison.Ordinal))
        {
            var endPoint = new UnixDomainSocketEndPoint(address["unix:".Length..]);
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(endPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            };
            address = "localhost";
        }

        _client = new HttpClient(handler) { BaseAddress = new Uri($"{(certificate is null ? "http" : "https")}://{address}"), Timeout = Timeout.InfiniteTimeSpan };
    }

    public Call Start(string method, IReadOnlyDictionary<string, string>? metadata = null) => new(_client, method, metadata ?? s_none);

    /// <summary>Makes a unary call. A failed call has no message.</summary>
    public async Task<(T? Message, int Status)> CallAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        await using var call = Start(method);
        await call.WriteAsync(request);
        call.Complete();
        var message = await call.ReadAsync(parser);
        if (message is not null)
        {
            Assert.Null(await call.ReadAsync(parser));
        }

        return (message, call.Status.Code);
    }

    public async Task<T> AskAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : class, IMessage<T> => (await CallAsync(Service + method, request, parser)).Message!;

    public async Task<Dictionary<string, V1.Action>> ListAsync() =>
        (await AskAsync("ListActions", new V1.ListActionsRequest(), V1.ListActionsResponse.Parser)).Actions.ToDictionary(action => action.Key);

    public static V1.RunActionRequest RequestOf(string key, string? input = null, bool stream = true)
    {
        var request = new V1.RunActionRequest { Key = key, Stream = stream };
        if (input is not null)
        {
            request.InputJson = ByteString.CopyFromUtf8(input);
        }

        return request;
    }

    public Task<Outcome> RunAsync(string key, string? input = null, bool stream = true) => RunAsync(RequestOf(key, input, stream));

    public async Task<Outcome> RunAsync(V1.RunActionRequest request, IReadOnlyDictionary<string, string>? metadata = null)
    {
        await using var call = Start(Service + "RunAction", metadata);
        await call.WriteAsync(request);
        call.Complete();
        return await OutcomeAsync(call);
    }

    /// <summary>Starts a run without streamed input.</summary>
    public async Task<Call> StartAsync(string key, string? input = null)
    {
        var call = Start(Service + "RunAction");
        await call.WriteAsync(RequestOf(key, input));
        call.Complete();
        return call;
    }

    /// <summary>Starts a run with streamed input.</summary>
    public async Task<Call> StartBidiAsync(string key, string? input = null)
    {
        var call = Start(Service + "RunBidiAction");
        await call.WriteAsync(new V1.RunBidiActionRequest { Start = RequestOf(key, input) });
        return call;
    }

    public async Task<Outcome> RunBidiAsync(string key, string[] chunks, string? input = null)
    {
        await using var call = await StartBidiAsync(key, input);
        foreach (var chunk in chunks)
        {
            await call.WriteAsync(ChunkOf(chunk));
        }

        call.Complete();
        return await OutcomeAsync(call);
    }

    public static V1.RunBidiActionRequest ChunkOf(string json) => new() { ChunkJson = ByteString.CopyFromUtf8(json) };

    /// <summary>Reads the next update, which must be a chunk.</summary>
    public static async Task<string> ReadChunkAsync(Call call)
    {
        var update = await call.ReadAsync(V1.RunActionResponse.Parser);
        Assert.Equal(V1.RunActionResponse.UpdateOneofCase.ChunkJson, update?.UpdateCase);
        return update!.ChunkJson.ToStringUtf8();
    }

    public void Dispose() => _client.Dispose();

    private static async Task<Outcome> OutcomeAsync(Call call)
    {
        var outcome = new Outcome();
        while (await call.ReadAsync(V1.RunActionResponse.Parser) is { } update)
        {
            outcome.Take(update);
        }

        Assert.Equal((0, ""), call.Status);
        return outcome;
    }
}
