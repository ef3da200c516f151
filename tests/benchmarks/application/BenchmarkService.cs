using System.Text.Json;
using Genkit.Sidecar.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Benchmarks.Application;

/// <summary>
/// Three flows on the stubs that Grpc.Tools generates. <c>echo</c> returns its input. <c>stream</c> takes <c>{"chunks": count}</c> and sends
/// as many chunks. <c>blob</c> takes <c>{"bytes": count}</c> and returns a string of as many characters.
/// </summary>
internal sealed class BenchmarkService : ActionService.ActionServiceBase
{
    private static readonly ByteString s_chunk = ByteString.CopyFromUtf8("""{"text":"a chunk about as long as a few tokens of a model"}""");
    private static readonly string[] s_flows = ["echo", "stream", "blob"];

    public override Task<ListActionsResponse> ListActions(ListActionsRequest request, ServerCallContext context) => Task.FromResult(
        new ListActionsResponse { Actions = { s_flows.Select(name => new V1.Action { Key = $"/flow/{name}", Name = name }) } });

    public override async Task RunAction(RunActionRequest request, IServerStreamWriter<RunActionResponse> responseStream, ServerCallContext context)
    {
        var result = request.Key switch
        {
            "/flow/echo" => request.InputJson,
            "/flow/stream" => await SendChunksAsync(Number(request, "chunks"), responseStream, context.CancellationToken),
            "/flow/blob" => Text(Number(request, "bytes")),
            _ => throw new RpcException(new Status(StatusCode.NotFound, $"There is no {request.Key}")),
        };
        await responseStream.WriteAsync(new RunActionResponse { Result = new ActionResult { ResultJson = result } }, context.CancellationToken);
    }

    private static async Task<ByteString> SendChunksAsync(
        int count,
        IServerStreamWriter<RunActionResponse> responseStream,
        CancellationToken cancellationToken)
    {
        for (var sent = 0; sent < count; sent++)
        {
            await responseStream.WriteAsync(new RunActionResponse { ChunkJson = s_chunk }, cancellationToken);
        }

        return ByteString.CopyFromUtf8("\"done\"");
    }

    private static int Number(RunActionRequest request, string member)
    {
        using var input = JsonDocument.Parse(request.InputJson.Memory);
        return input.RootElement.GetProperty(member).GetInt32();
    }

    private static ByteString Text(int length)
    {
        var json = new byte[length + 2];
        json.AsSpan().Fill((byte)'x');
        json[0] = json[^1] = (byte)'"';
        return UnsafeByteOperations.UnsafeWrap(json);
    }
}
