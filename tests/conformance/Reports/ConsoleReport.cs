using System.Globalization;
using Genkit.Sidecar.Conformance.Running;
using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Reports;

/// <summary>Prints a line per suite, the failures in full, and on a terminal the running case.</summary>
internal sealed class ConsoleReport(TextWriter output, bool isTerminal) : IReport
{
    private readonly List<Outcome> _suite = [];
    private int _count;
    private int _ended;
    private int _width;

    public void Start(string subject, IReadOnlyList<Case> cases)
    {
        _count = cases.Count;
        output.WriteLine($"{subject}, {Count(_count, "case")}");
    }

    public void CaseStarts(Case one)
    {
        if (_suite.Count > 0 && _suite[0].Case.Suite != one.Suite)
        {
            EndSuite();
        }

        Progress(string.Create(CultureInfo.InvariantCulture, $"  [{_ended + 1}/{_count}] {one.Id}"));
    }

    public void CaseEnded(Outcome outcome)
    {
        _ended++;
        _suite.Add(outcome);
    }

    public void End(IReadOnlyList<Outcome> outcomes, TimeSpan took)
    {
        if (_suite.Count > 0)
        {
            EndSuite();
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Count(outcomes.Count, "case")}: {Sums(outcomes)}, in {took.TotalSeconds:0.0} s"));
    }

    private static string Count(int number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    private static string Sums(IReadOnlyCollection<Outcome> outcomes)
    {
        (Verdict Verdict, string Text)[] texts =
        [
            (Verdict.Passed, "passed"), (Verdict.Failed, "failed"), (Verdict.KnownFailure, "failed as known"), (Verdict.UnexpectedPass, "passed unexpectedly"), (Verdict.NotRun, "not run"), (Verdict.Skipped, "skipped"),
        ];
        var sums = texts
            .Select(text => (text.Text, Count: outcomes.Count(outcome => outcome.Verdict == text.Verdict)))
            .Where(sum => sum.Count > 0)
            .Select(sum => string.Create(CultureInfo.InvariantCulture, $"{sum.Count} {sum.Text}"));
        return string.Join(", ", sums);
    }

    private void EndSuite()
    {
        Progress("");
        if (_suite.TrueForAll(outcome => outcome.Verdict == Verdict.NotRun))
        {
            _suite.Clear();
            return;
        }

        output.WriteLine($"  {_suite[0].Case.Suite,-18} {Sums(_suite)}");
        foreach (var outcome in _suite.Where(outcome => outcome.IsBad && outcome.Verdict != Verdict.NotRun))
        {
            output.WriteLine($"    FAILED {outcome.Case.Id}: {outcome.Reason}");
            if (outcome.Step is { } step)
            {
                output.WriteLine($"      step:   {(step.Length > 200 ? $"{step[..200]}…" : step)}");
            }

            output.WriteLine($"      clause: {outcome.Case.Clause}");
            output.WriteLine($"      why:    {outcome.Case.Why}");
            if (outcome.Case.Needs.Count > 0)
            {
                output.WriteLine($"      needs:  {string.Join(", ", outcome.Case.Needs)}, which is optional: --without {outcome.Case.Needs[0]}");
            }
        }

        _suite.Clear();
    }

    /// <summary>Replaces the progress line.</summary>
    private void Progress(string text)
    {
        if (isTerminal)
        {
            output.Write($"\r{text.PadRight(_width)}{(text.Length == 0 ? "\r" : "")}");
            _width = text.Length;
            output.Flush();
        }
    }
}
