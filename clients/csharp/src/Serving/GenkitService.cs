using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary><c>genkit.sidecar.v1.ActionService</c> for the actions of an application.</summary>
/// <param name="application">The application that has the actions.</param>
/// <param name="logger">Logs failures other than <see cref="ActionError"/>. Uses the public type <see cref="Application"/> as its category.</param>
/// <param name="runs">Cancels all runs.</param>
internal sealed class GenkitService(Application application, ILogger<Application> logger, RunCancellation runs) : V1.ActionService.ActionServiceBase
{
    // Buffer the last message, so that the result and the trailers are sent in one packet.
    private static readonly WriteOptions s_last = new(WriteFlags.BufferHint);

    public override Task<V1.GetRuntimeInfoResponse> GetRuntimeInfo(V1.GetRuntimeInfoRequest request, ServerCallContext context) => Task.FromResult(application.RuntimeInfo());

    public override Task<V1.ListActionsResponse> ListActions(V1.ListActionsRequest request, ServerCallContext context) => Task.FromResult(application.ListActions());

    public override Task<V1.ListValuesResponse> ListValues(V1.ListValuesRequest request, ServerCallContext context) => Task.FromResult(application.ListValues(request));

    public override Task<V1.ConfigureResponse> Configure(V1.ConfigureRequest request, ServerCallContext context) => Task.FromResult(application.Configure(request));

    public override Task RunAction(V1.RunActionRequest request, IServerStreamWriter<V1.RunActionResponse> responseStream, ServerCallContext context) =>
        ServeAsync(context, request, requests: null, (update, isLast) => WriteAsync(responseStream, update, isLast));

    public override async Task RunBidiAction(
        IAsyncStreamReader<V1.RunBidiActionRequest> requestStream, IServerStreamWriter<V1.RunBidiActionResponse> responseStream, ServerCallContext context)
    {
        // Send the headers at once, because a caller may wait for them before it sends input.
        await context.WriteResponseHeadersAsync([]).ConfigureAwait(false);
        var start = await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false) ? requestStream.Current.Start : null;
        if (start is null)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the first message must be start"));
        }

        await ServeAsync(context, start, requestStream, (update, isLast) => WriteAsync(responseStream, BidiOf(update), isLast)).ConfigureAwait(false);
    }

    private static Task WriteAsync<T>(IServerStreamWriter<T> stream, T update, bool isLast)
    {
        if (isLast)
        {
            stream.WriteOptions = stream.WriteOptions is { } set ? new(set.Flags | WriteFlags.BufferHint) : s_last;
        }

        return stream.WriteAsync(update);
    }

    private static V1.RunBidiActionResponse BidiOf(V1.RunActionResponse update) => update.UpdateCase switch
    {
        V1.RunActionResponse.UpdateOneofCase.State => new() { State = update.State },
        V1.RunActionResponse.UpdateOneofCase.ChunkJson => new() { ChunkJson = update.ChunkJson },
        V1.RunActionResponse.UpdateOneofCase.Result => new() { Result = update.Result },
        _ => new() { Error = update.Error },
    };

    private async Task ServeAsync(
        ServerCallContext call, V1.RunActionRequest start, IAsyncStreamReader<V1.RunBidiActionRequest>? requests, Func<V1.RunActionResponse, bool, Task> write)
    {
        using var run = new Run(application, call, start.Key, write, logger, runs.Token);
        await run.ServeAsync(start, requests).ConfigureAwait(false);
    }
}
