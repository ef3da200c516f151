namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>What a case is about, from its caller's side: made anew for each case.</summary>
internal interface ISubject : IAsyncDisposable
{
    Task<IRun> StartAsync(RunPlan plan, CancellationToken cancellationToken);

    /// <summary>The actions, in the order in which they were listed.</summary>
    Task<IReadOnlyList<ListedAction>> ListActionsAsync(CancellationToken cancellationToken);

    /// <summary>One JSON object of the values of a type; null where there are none.</summary>
    Task<byte[]?> ListValuesAsync(string type, CancellationToken cancellationToken);
}
