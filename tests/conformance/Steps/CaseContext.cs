using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>What the steps of one execution of a case share. Disposing ends the runs that still go on.</summary>
internal sealed class CaseContext(ISubject subject, Catalogue catalogue, IReadOnlySet<string> without, string unique) : IAsyncDisposable
{
    private readonly Dictionary<string, List<IRun>> _runs = new(StringComparer.Ordinal);

    public ISubject Subject { get; } = subject;

    public Catalogue Catalogue { get; } = catalogue;

    /// <summary>The features that the application does not have.</summary>
    public IReadOnlySet<string> Without { get; } = without;

    public CaseValues Values(int index = 0) => new(unique, index);

    /// <summary>The runs of this name, of which a step may have started several.</summary>
    /// <exception cref="CaseFailure">There are none: the case is written wrongly.</exception>
    public IReadOnlyList<IRun> Runs(string name) =>
        _runs.TryGetValue(name, out var runs) ? runs : throw new CaseFailure($"the case has no run with the name {name}");

    public void Add(string name, IRun run)
    {
        if (!_runs.TryGetValue(name, out var runs))
        {
            _runs[name] = runs = [];
        }

        runs.Add(run);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var run in _runs.Values.SelectMany(runs => runs))
        {
            await run.DisposeAsync();
        }
    }
}
