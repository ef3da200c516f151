using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects updates of one kind, in each run of a name.</summary>
/// <param name="members">The step; its members <c>of</c>, <c>times</c> and <c>skipChunks</c> are taken here.</param>
/// <param name="name">Name of the expected update in error messages.</param>
internal abstract class UpdateStep(Members members, string name) : IStep
{
    private readonly string _of = members.TakeText("of") ?? "run";
    private readonly int _times = members.TakeCount("times", 1);

    // Ignore chunks of a run that did not request them, and chunks before an end if the case skips them.
    private readonly bool _skipsChunks = members.TakeFlag("skipChunks");

    public virtual bool IsOfApplicationAlone => false;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        var runs = context.Runs(_of);
        for (var i = 0; i < runs.Count; i++)
        {
            for (var j = 0; j < _times; j++)
            {
                // {{index}} counts the updates if several are expected, and the runs otherwise.
                await ExpectAsync(runs[i], context, _times > 1 ? j : i, cancellationToken);
            }
        }
    }

    /// <summary>Returns why an update does not match, as the predicate of a sentence, or null if it matches.</summary>
    /// <returns>The reason, which is empty if the update is of another kind.</returns>
    protected abstract string? Fault(Update update, CaseContext context, int index);

    private async Task ExpectAsync(IRun run, CaseContext context, int index, CancellationToken cancellationToken)
    {
        var update = await run.ReadAsync(cancellationToken);
        while (_skipsChunks && update is Update.Chunk)
        {
            update = await run.ReadAsync(cancellationToken);
        }

        if (Fault(update, context, index) is { } fault)
        {
            var which = _times > 1 ? $"{name} number {index}" : name;
            throw new CaseFailure(fault.Length == 0 ? $"{update.Name} came instead of {which}" : $"{which} {fault}");
        }
    }
}
