using System.Buffers;
using System.Runtime.CompilerServices;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Grpc.Server;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary><c>ActionService</c> over an application's actions.</summary>
/// <param name="application">Whose actions.</param>
/// <param name="logger">For failures that nobody foresaw.</param>
/// <param name="stopping">Cancels all runs.</param>
internal sealed class ActionService(Application application, ILogger logger, CancellationToken stopping)
{
    public const string Name = "genkit.sidecar.v1.ActionService";

    /// <summary>What gRPC servers take by default is 4 MiB; Genkit's manager closes at 100.</summary>
    public const int MaxMessageBytes = 100 * 1024 * 1024;

    public void AddTo(GrpcServer server)
    {
        server.Add($"/{Name}/GetRuntimeInfo", Unary(V1.GetRuntimeInfoRequest.Parser, _ => application.RuntimeInfo()));
        server.Add($"/{Name}/ListActions", Unary(V1.ListActionsRequest.Parser, _ => application.ListActions()));
        server.Add($"/{Name}/ListValues", Unary(V1.ListValuesRequest.Parser, application.ListValues));
        server.Add($"/{Name}/Configure", Unary(V1.ConfigureRequest.Parser, application.Configure));
        server.Add($"/{Name}/RunAction", RunActionAsync);
        server.Add($"/{Name}/RunBidiAction", RunBidiActionAsync);
    }

    private static GrpcHandler Unary<T>(MessageParser<T> parser, Func<T, IMessage> answer)
        where T : IMessage<T> => async call =>
        {
            var response = answer(Parse(parser, await call.ReadSingleAsync().ConfigureAwait(false)));
            await call.WriteAsync(new ReadOnlySequence<byte>(response.ToByteArray()), flush: false).ConfigureAwait(false);
            return GrpcStatus.OK;
        };

    /// <exception cref="GrpcException">The bytes are no such message.</exception>
    private static T Parse<T>(MessageParser<T> parser, ReadOnlySequence<byte> message)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new GrpcException(new GrpcStatus(GrpcStatusCode.InvalidArgument, e.Message));
        }
    }

    private static async IAsyncEnumerable<RawJson> ReadChunksAsync(GrpcServerCall call, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await call.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var request = Parse(V1.RunBidiActionRequest.Parser, call.Message);
            if (request.HasChunkJson)
            {
                yield return new RawJson(request.ChunkJson.Memory);
            }
        }
    }

    private async Task<GrpcStatus> RunActionAsync(GrpcServerCall call)
    {
        var start = Parse(V1.RunActionRequest.Parser, await call.ReadSingleAsync().ConfigureAwait(false));
        return await Run.ServeAsync(application, call, start, chunks: null, logger, stopping).ConfigureAwait(false);
    }

    private async Task<GrpcStatus> RunBidiActionAsync(GrpcServerCall call)
    {
        // A caller may wait for them before it sends anything.
        await call.SendHeadersAsync().ConfigureAwait(false);
        var start = await call.ReadAsync().ConfigureAwait(false) ? Parse(V1.RunBidiActionRequest.Parser, call.Message).Start : null;
        return start is null
            ? new GrpcStatus(GrpcStatusCode.InvalidArgument, "the first message must be start, and only that")
            : await Run.ServeAsync(application, call, start, ReadChunksAsync(call), logger, stopping).ConfigureAwait(false);
    }
}
