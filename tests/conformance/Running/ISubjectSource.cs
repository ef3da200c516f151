using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Where cases get their subjects from: what is under test, started and kept running.</summary>
internal interface ISubjectSource : IAsyncDisposable
{
    Way Way { get; }

    /// <summary>What is tested, for people.</summary>
    string Name { get; }

    /// <summary>Starts what is tested and waits until it answers.</summary>
    /// <exception cref="StartFailure">It does not.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    ISubject Connect();

    /// <summary>Sees to it that the next case finds something to test.</summary>
    /// <param name="hasFailed">Whether the last case has, and so whether a look is worth its time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Why the last one did not leave it so, for people; null if it did.</returns>
    /// <exception cref="StartFailure">There is nothing more to test.</exception>
    Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken);
}
