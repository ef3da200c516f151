using System.Globalization;
using System.Text;
using System.Xml;
using Genkit.Sidecar.Conformance.Running;
using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Reports;

/// <summary>Writes JUnit XML for CI systems. A known failure is reported as a skipped test, and an unexpected pass as a failure.</summary>
internal sealed class JUnitReport(Stream stream) : IReport
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
        using var xml = XmlWriter.Create(stream, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false), CheckCharacters = false });
        xml.WriteStartElement("testsuites");
        xml.WriteAttributeString("name", _subject);
        foreach (var suite in outcomes.GroupBy(outcome => outcome.Case.Suite))
        {
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", suite.Key);
            xml.WriteAttributeString("tests", Text(suite.Count()));
            xml.WriteAttributeString("failures", Text(suite.Count(outcome => outcome.IsBad)));
            xml.WriteAttributeString("skipped", Text(suite.Count(outcome => outcome.Verdict is Verdict.Skipped or Verdict.KnownFailure)));
            xml.WriteAttributeString("time", Seconds(suite.Aggregate(TimeSpan.Zero, (sum, outcome) => sum + outcome.Took)));
            foreach (var outcome in suite)
            {
                Write(xml, outcome);
            }

            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void Write(XmlWriter xml, Outcome outcome)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", outcome.Case.Suite);
        xml.WriteAttributeString("name", outcome.Case.Id);
        xml.WriteAttributeString("time", Seconds(outcome.Took));
        if (outcome.IsBad)
        {
            xml.WriteStartElement("failure");
            xml.WriteAttributeString("message", Visible(outcome.Reason!));
            xml.WriteString(Visible($"{outcome.Reason}\nstep: {outcome.Step}\nclause: {outcome.Case.Clause}\nwhy: {outcome.Case.Why}"));
            xml.WriteEndElement();
        }
        else if (outcome.Verdict != Verdict.Passed)
        {
            xml.WriteStartElement("skipped");
            xml.WriteAttributeString("message", Visible(outcome.KnownReason ?? outcome.Reason!));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    // XML cannot represent most control characters, which payloads may contain.
    private static string Visible(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.IsBmp && !XmlConvert.IsXmlChar((char)rune.Value) ? Rune.ReplacementChar : rune));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);
}
