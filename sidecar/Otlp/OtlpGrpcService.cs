using System.Buffers;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Grpc.Server;

namespace Genkit.Sidecar.Otlp;

/// <summary>OTLP over gRPC: <c>Export</c> of the collector's three services.</summary>
internal sealed class OtlpGrpcService
{
    private readonly OtlpHandler _handler;
    private readonly OtlpTurns _turns;
    private readonly BearerToken? _token;
    private readonly GrpcServer _server;

    public OtlpGrpcService(SidecarSettings settings, OtlpHandler handler, OtlpTurns turns, ILoggerFactory logs)
    {
        _handler = handler;
        _turns = turns;
        _token = settings.OtlpToken;
        var options = new GrpcServerOptions { MaxReceiveMessageBytes = checked((int)settings.OtlpMaxRequestBytes), AllowSlowCallers = false };
        _server = new GrpcServer(options, logs.CreateLogger<GrpcServer>());
        Add("trace.v1.TraceService", OtlpSignal.Traces);
        Add("metrics.v1.MetricsService", OtlpSignal.Metrics);
        Add("logs.v1.LogsService", OtlpSignal.Logs);
    }

    public Task HandleAsync(HttpContext context) => _server.HandleAsync(context);

    private void Add(string service, OtlpSignal signal) =>
        _server.Add($"/opentelemetry.proto.collector.{service}/Export", call => ExportAsync(signal, call));

    private async Task<GrpcStatus> ExportAsync(OtlpSignal signal, GrpcServerCall call)
    {
        if (_token is not null && !_token.IsIn(call.RequestHeaders.Get("authorization") ?? ""))
        {
            return new GrpcStatus(GrpcStatusCode.Unauthenticated, OtlpResponse.NoToken);
        }

        // A message that is not read yet takes no memory but HTTP/2's window.
        using var turn = await _turns.WaitAsync(call.CancellationToken);
        var reply = _handler(signal, OtlpEncoding.Protobuf, await call.ReadSingleAsync());
        switch (reply.Verdict)
        {
            case OtlpVerdict.Malformed:
                return new GrpcStatus(GrpcStatusCode.InvalidArgument, reply.Problem);
            case OtlpVerdict.Overloaded:
                return new GrpcStatus(GrpcStatusCode.Unavailable, reply.Problem);
            default:
                await call.WriteAsync(new ReadOnlySequence<byte>(OtlpResponse.Accepted(signal, OtlpEncoding.Protobuf, reply)), flush: false);
                return GrpcStatus.OK;
        }
    }
}
