using Genkit.Sidecar.Otlp;
using global::Grpc.AspNetCore.Server.Model;
using global::Grpc.Core;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>
/// Binds <c>Export</c> of the collector's three services to <see cref="OtlpGrpcService"/>. Not by generated code, because that decodes a request before the service
/// sees it: what its messages would take in memory, a hundred times its bytes, is bounded by <see cref="DecodedSize"/> before they are made.
/// </summary>
internal sealed class OtlpGrpcMethods : IServiceMethodProvider<OtlpGrpcService>
{
    private static readonly Marshaller<byte[]> s_bytes = new((bytes, context) => context.Complete(bytes), context => context.PayloadAsNewBuffer());

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<OtlpGrpcService> context)
    {
        Add("trace.v1.TraceService", OtlpSignal.Traces);
        Add("metrics.v1.MetricsService", OtlpSignal.Metrics);
        Add("logs.v1.LogsService", OtlpSignal.Logs);

        void Add(string service, OtlpSignal signal) => context.AddUnaryMethod(
            new Method<byte[], byte[]>(MethodType.Unary, $"opentelemetry.proto.collector.{service}", "Export", s_bytes, s_bytes),
            [new HttpMethodMetadata([HttpMethods.Post])],
            (receiver, request, _) => receiver.ExportAsync(signal, request));
    }
}
