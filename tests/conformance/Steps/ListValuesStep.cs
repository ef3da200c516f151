using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects values of a type: <c>{"listValues": TYPE, "values": EXPECTATION}</c>. No values are equivalent to <c>{}</c>.</summary>
internal sealed class ListValuesStep(Members members) : IStep
{
    private readonly string _type = members.RequireText("listValues");
    private readonly Expectation _values = Expectation.Parse(members.Require("values"));

    public bool IsOfApplicationAlone => false;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        var values = await context.Subject.ListValuesAsync(_type, cancellationToken) ?? "{}"u8.ToArray();
        if (_values.Fault(values, context.Values()) is { } fault)
        {
            throw new CaseFailure($"ListValues of '{_type}': {fault}");
        }
    }
}
