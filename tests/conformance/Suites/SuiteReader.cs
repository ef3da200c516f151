using System.Text.Json;
using System.Text.RegularExpressions;
using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Steps;

namespace Genkit.Sidecar.Conformance.Suites;

/// <summary>Reads case files. Every error names the file and the case.</summary>
internal static partial class SuiteReader
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex Name { get; }

    /// <summary>Returns all embedded cases by suite.</summary>
    /// <exception cref="FormatException">A file is invalid.</exception>
    public static IReadOnlyList<Case> Load(Catalogue catalogue)
    {
        var assembly = typeof(SuiteReader).Assembly;
        var cases = new List<Case>();
        foreach (var file in assembly.GetManifestResourceNames().Where(name => name.StartsWith("cases/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(file)!;
            using var reader = new StreamReader(stream);
            cases.AddRange(Read(file, reader.ReadToEnd(), catalogue));
        }

        return cases.GroupBy(one => one.Id).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw new FormatException($"the case {twice.Key} is duplicated")
            : cases;
    }

    /// <summary>Reads one suite, which has the name of its file.</summary>
    /// <exception cref="FormatException">The file is invalid.</exception>
    public static IReadOnlyList<Case> Read(string file, string text, Catalogue catalogue)
    {
        try
        {
            using var document = JsonDocument.Parse(text, CaseJson.Options);
            var suite = new Members(document.RootElement.Clone());
            var name = Path.GetFileNameWithoutExtension(file);
            var needs = suite.TakeTexts("needs");
            var notIn = Ways(suite);
            var cases = suite.Require("cases").EnumerateArray().Select(one => Case(name, one, needs, notIn, catalogue)).ToList();
            suite.ThrowIfAnyIsLeft();
            return cases;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            throw new FormatException($"{file}: {e.Message}", e);
        }
    }

    private static Case Case(string suite, JsonElement value, IReadOnlyList<string> needs, IReadOnlyDictionary<Way, string> notIn, Catalogue catalogue)
    {
        var members = new Members(value);
        var id = $"{suite}/{members.RequireText("id")}";
        try
        {
            return Case(id, members, needs, notIn, catalogue);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            throw new FormatException($"{id}: {e.Message}", e);
        }
    }

    private static Case Case(string id, Members members, IReadOnlyList<string> needs, IReadOnlyDictionary<Way, string> notIn, Catalogue catalogue)
    {
        if (!Name.IsMatch(id[(id.IndexOf('/', StringComparison.Ordinal) + 1)..]))
        {
            throw new FormatException("an id must consist of lower-case words separated by hyphens");
        }

        var one = new Case
        {
            Id = id,
            Clause = members.RequireText("clause"),
            Why = members.RequireText("why"),
            Needs = [.. needs, .. members.TakeTexts("needs")],
            Unless = members.TakeTexts("unless"),
            NotIn = notIn.Concat(Ways(members)).ToDictionary(),
            Timeout = members.TakeTime("timeout") ?? s_timeout,
            Steps = [.. members.Require("steps").EnumerateArray().Select(step => (step.GetRawText(), StepReader.Read(step)))],
        };
        members.ThrowIfAnyIsLeft();
        if (one.Needs.Concat(one.Unless).FirstOrDefault(feature => !catalogue.Features.ContainsKey(feature)) is { } unknown)
        {
            throw new FormatException($"unknown feature {unknown}");
        }

        if (one.Steps.FirstOrDefault(step => step.Step.IsOfApplicationAlone) is { Step: not null } alone && (!one.NotIn.ContainsKey(Way.Sidecar) || !one.NotIn.ContainsKey(Way.Whole)))
        {
            throw new FormatException($"this step applies to applications only, so the case needs notIn with a reason: {alone.Text}");
        }

        return one;
    }

    /// <summary>Reads <c>"notIn": {"sidecar": REASON, "manager": REASON}</c>, the latter for both modes with a manager.</summary>
    private static Dictionary<Way, string> Ways(Members members)
    {
        var ways = new Dictionary<Way, string>();
        foreach (var (way, reason) in members.TakePairs("notIn"))
        {
            switch (way)
            {
                case "application":
                    ways.Add(Way.Application, reason);
                    break;
                case "sidecar":
                    ways.Add(Way.Sidecar, reason);
                    break;
                case "whole":
                    ways.Add(Way.Whole, reason);
                    break;
                case "manager":
                    ways.Add(Way.Sidecar, reason);
                    ways.Add(Way.Whole, reason);
                    break;
                default:
                    throw new FormatException($"notIn accepts the modes application, sidecar, whole and manager, not {way}");
            }
        }

        return ways;
    }
}
