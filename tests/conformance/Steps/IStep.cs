namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>One action or expectation of a case.</summary>
internal interface IStep
{
    /// <summary>Whether the step applies to applications only, because a manager cannot observe it.</summary>
    bool IsOfApplicationAlone { get; }

    /// <exception cref="CaseFailure">The expectation was not met.</exception>
    Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken);
}
