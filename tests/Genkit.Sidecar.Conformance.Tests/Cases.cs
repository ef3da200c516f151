using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Running;
using Genkit.Sidecar.Conformance.Subjects;
using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>The kit's own cases, run in this process.</summary>
internal static class Cases
{
    public static Catalogue Catalogue { get; } = Catalogue.Load();

    public static IReadOnlyList<Case> All { get; } = SuiteReader.Load(Catalogue);

    /// <summary>Runs cases against the reference application, which leaves out some features or breaks a rule.</summary>
    public static async Task<IReadOnlyList<Outcome>> RunAsync(IEnumerable<Case> cases, Rule? broken, IReadOnlySet<string> without, TimeSpan? timeout)
    {
        await using var application = await ReferenceApplication.StartAsync(Catalogue, broken, without);
        await using var source = new ApplicationSource(new ApplicationAddress(application.Address), command: null);
        var session = new Session(source, Catalogue, without, new Dictionary<string, string>(), timeout);
        return await session.RunAsync([.. cases.Where(one => !one.NotIn.ContainsKey(source.Way))], [], TestContext.Current.CancellationToken);
    }
}
