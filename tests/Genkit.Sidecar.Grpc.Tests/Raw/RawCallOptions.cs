using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests.Raw;

internal sealed record RawCallOptions
{
    public static RawCallOptions Default { get; } = new();

    public TimeSpan? Deadline { get; init; }

    public Metadata? Metadata { get; init; }

    public CallOptions With(CallScope scope, CancellationToken cancellationToken) => new(Metadata, scope.Deadline, cancellationToken);
}
