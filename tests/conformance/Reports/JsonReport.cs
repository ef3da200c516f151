using System.Text.Encodings.Web;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Running;
using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Reports;

/// <summary>Writes one JSON object: <c>subject</c>, <c>passed</c> (whether the run did), and <c>cases</c>, each with <c>id</c>, <c>verdict</c>, <c>clause</c>, <c>needs</c>, <c>ms</c> and optionally <c>reason</c>, <c>knownReason</c> and <c>step</c>.</summary>
internal sealed class JsonReport(Stream stream) : IReport
{
    private string _subject = "";

    public void Start(string subject, IReadOnlyList<Case> cases) => _subject = subject;

    public void CaseStarts(Case one)
    {
    }

    public void CaseEnded(Outcome outcome)
    {
    }

    public void End(IReadOnlyList<Outcome> outcomes, TimeSpan took)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("subject", _subject);
        json.WriteBoolean("passed", !outcomes.Any(outcome => outcome.IsBad));
        json.WriteStartArray("cases");
        foreach (var outcome in outcomes)
        {
            json.WriteStartObject();
            json.WriteString("id", outcome.Case.Id);
            json.WriteString("verdict", JsonNamingPolicy.KebabCaseLower.ConvertName(outcome.Verdict.ToString()));
            json.WriteString("clause", outcome.Case.Clause);
            json.WriteStartArray("needs");
            foreach (var feature in outcome.Case.Needs)
            {
                json.WriteStringValue(feature);
            }

            json.WriteEndArray();
            json.WriteNumber("ms", (long)outcome.Took.TotalMilliseconds);
            foreach (var (name, value) in new[] { ("reason", outcome.Reason), ("knownReason", outcome.KnownReason), ("step", outcome.Step) })
            {
                if (value is not null)
                {
                    json.WriteString(name, value);
                }
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
