using Genkit.Sidecar.Conformance.Subjects;
using Genkit.Sidecar.Grpc;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>An application at an address, or one that a command starts.</summary>
/// <param name="target">The address.</param>
/// <param name="command">Null where somebody else runs it.</param>
internal sealed class ApplicationSource(GrpcTarget target, ApplicationCommand? command) : ISubjectSource
{
    public Way Way => Way.Application;

    public string Name => $"The application at {target}";

    public ISubject Connect() => new ApplicationSubject(target);

    public async Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken) =>
        command is null ? null : await command.RestartIfEndedAsync(hasFailed, cancellationToken);

    public ValueTask DisposeAsync() => command?.DisposeAsync() ?? ValueTask.CompletedTask;
}
