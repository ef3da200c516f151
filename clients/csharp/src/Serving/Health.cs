using System.Buffers;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Grpc.Server;

namespace Genkit.Sidecar.Client;

/// <summary><c>grpc.health.v1.Health</c>: says SERVING of the server and of its ActionService until it stops.</summary>
internal sealed class Health(CancellationToken stopping)
{
    // HealthCheckResponse, encoded.
    private static readonly byte[] s_serving = [8, 1];
    private static readonly byte[] s_notServing = [8, 2];
    private static readonly byte[] s_serviceUnknown = [8, 3];

    public void AddTo(GrpcServer server)
    {
        server.Add("/grpc.health.v1.Health/Check", CheckAsync);
        server.Add("/grpc.health.v1.Health/Watch", WatchAsync);
    }

    private async Task<GrpcStatus> CheckAsync(GrpcServerCall call)
    {
        var service = ServiceOf(await call.ReadSingleAsync().ConfigureAwait(false));
        if (!IsKnown(service))
        {
            return new GrpcStatus(GrpcStatusCode.NotFound, $"there is no service {service}");
        }

        await call.WriteAsync(new ReadOnlySequence<byte>(StatusOf(service)), flush: false).ConfigureAwait(false);
        return GrpcStatus.OK;
    }

    private async Task<GrpcStatus> WatchAsync(GrpcServerCall call)
    {
        var service = ServiceOf(await call.ReadSingleAsync().ConfigureAwait(false));
        var told = StatusOf(service);
        await call.WriteAsync(new ReadOnlySequence<byte>(told), flush: true).ConfigureAwait(false);

        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var stop = stopping.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), stopped).ConfigureAwait(false);
        await stopped.Task.WaitAsync(call.CancellationToken).ConfigureAwait(false);
        if (told == s_serving)
        {
            await call.WriteAsync(new ReadOnlySequence<byte>(s_notServing), flush: false).ConfigureAwait(false);
        }

        return GrpcStatus.OK;
    }

    private static bool IsKnown(string service) => service is "" or ActionService.Name;

    private byte[] StatusOf(string service) => !IsKnown(service) ? s_serviceUnknown : stopping.IsCancellationRequested ? s_notServing : s_serving;

    // HealthCheckRequest has the same form: a string in field 1.
    private static string ServiceOf(ReadOnlySequence<byte> request) => V1.ListValuesRequest.Parser.ParseFrom(request).Type;
}
