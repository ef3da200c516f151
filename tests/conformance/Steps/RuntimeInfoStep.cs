using System.Text.RegularExpressions;
using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects the runtime info of an application: <c>{"runtimeInfo": {"name": …, "genkitVersion": REGEX, "environments": […]}}</c>.</summary>
internal sealed class RuntimeInfoStep : IStep
{
    private readonly string? _name;
    private readonly string? _genkitVersion;
    private readonly IReadOnlyList<string>? _environments;

    public RuntimeInfoStep(Members members)
    {
        var info = new Members(members.Require("runtimeInfo"));
        _name = info.TakeText("name");
        _genkitVersion = info.TakeText("genkitVersion");
        _environments = info.Has("environments") ? info.TakeTexts("environments") : null;
        info.ThrowIfAnyIsLeft();
    }

    public bool IsOfApplicationAlone => true;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        var info = await ((ApplicationSubject)context.Subject).GetRuntimeInfoAsync(cancellationToken);
        if (_name is not null && info.Name != _name)
        {
            throw new CaseFailure($"name is '{info.Name}' instead of '{_name}'");
        }

        if (_genkitVersion is not null && !Regex.IsMatch(info.GenkitVersion, _genkitVersion))
        {
            throw new CaseFailure($"genkit_version is '{info.GenkitVersion}', which {_genkitVersion} does not match");
        }

        // An empty list means dev.
        IEnumerable<string> environments = info.Environments.Count == 0 ? ["dev"] : info.Environments;
        if (_environments is not null && !_environments.Order(StringComparer.Ordinal).SequenceEqual(environments.Order(StringComparer.Ordinal)))
        {
            throw new CaseFailure($"environments are {string.Join(", ", environments)} instead of {string.Join(", ", _environments)}");
        }
    }
}
