namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>One thing that a case does or expects.</summary>
internal interface IStep
{
    /// <summary>Whether it needs what only an application has, and no manager can see.</summary>
    bool IsOfApplicationAlone { get; }

    /// <exception cref="CaseFailure">Something else was there than expected.</exception>
    Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken);
}
