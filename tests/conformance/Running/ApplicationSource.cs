using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>An application at an address, or one that a command starts.</summary>
/// <param name="address">The address.</param>
/// <param name="command">The command that starts the application, or null if it already runs.</param>
internal sealed class ApplicationSource(ApplicationAddress address, ApplicationCommand? command) : ISubjectSource
{
    public Way Way => Way.Application;

    public string Name => $"The application at {address}";

    public Task StartAsync(CancellationToken cancellationToken) => command is null ? CheckAsync(address, cancellationToken) : command.StartAsync(cancellationToken);

    public ISubject Connect() => new ApplicationSubject(address);

    public async Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken) =>
        command is null ? null : await command.RecoverAsync(hasFailed, cancellationToken);

    public ValueTask DisposeAsync() => command?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Ensures that an application answers.</summary>
    /// <exception cref="StartFailure">No application answers.</exception>
    public static async Task CheckAsync(ApplicationAddress address, CancellationToken cancellationToken)
    {
        await using var subject = new ApplicationSubject(address);
        if (await subject.AbsenceAsync(cancellationToken) is { } absence)
        {
            throw new StartFailure($"no application answers at {address}: {absence}");
        }
    }
}
