namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>The program under test, seen from its caller. Created for each case.</summary>
internal interface ISubject : IAsyncDisposable
{
    Task<IRun> StartAsync(RunPlan plan, CancellationToken cancellationToken);

    /// <summary>Returns the actions in the order of the list.</summary>
    Task<IReadOnlyList<ListedAction>> ListActionsAsync(CancellationToken cancellationToken);

    /// <summary>Returns the values of a type as a JSON object, or null if there are none.</summary>
    Task<byte[]?> ListValuesAsync(string type, CancellationToken cancellationToken);
}
