using System.Text.Json;
using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Reads a step. One of its members is the verb that identifies it.</summary>
internal static class StepReader
{
    private static readonly Dictionary<string, Func<Members, IStep>> s_verbs = new(StringComparer.Ordinal)
    {
        ["run"] = members => new RunStep(members),
        ["send"] = members => new InputStep(members),
        ["endInput"] = members => new EndInputStep(members),
        ["cancel"] = members => new CancelStep(members),
        ["chunk"] = members => new ChunkStep(members),
        ["result"] = members => new ResultStep(members),
        ["error"] = members => new ErrorStep(members),
        ["state"] = members => new StateStep(members),
        ["listActions"] = members => new ListActionsStep(members),
        ["listValues"] = members => new ListValuesStep(members),
        ["runtimeInfo"] = members => new RuntimeInfoStep(members),
        ["configure"] = members => new ConfigureStep(members),
        ["health"] = members => new HealthStep(members),
        ["reconnect"] = members => new ReconnectStep(members),
        ["call"] = members => new CallStep(members),
    };

    /// <exception cref="FormatException">It is not a step, or has an unknown member.</exception>
    public static IStep Read(JsonElement value)
    {
        var members = new Members(value);
        foreach (var (verb, make) in s_verbs)
        {
            if (members.Has(verb))
            {
                var step = make(members);
                members.ThrowIfAnyIsLeft();
                return step;
            }
        }

        throw new FormatException($"the step has none of {string.Join(", ", s_verbs.Keys)}");
    }
}
