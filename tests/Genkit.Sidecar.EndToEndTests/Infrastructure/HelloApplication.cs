namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>One of the hello examples: the same flows in every language.</summary>
internal sealed record HelloApplication(string Language, string Interpreter, string Program, string MadeBy)
{
    private static readonly HelloApplication s_python = new(
        "python", "/usr/bin/python3", "clients/python/examples/stubs/hello.py", "tests/e2e/setup python");

    private static readonly HelloApplication s_typeScript = new(
        "typescript", "node", "clients/typescript/examples/stubs/dist/hello.js", "tests/e2e/setup typescript");

    public string Name => $"hello-{Language}";

    public string GenkitVersion => $"{Language}/0.1.0";

    public IReadOnlyList<string> Command => [Interpreter, Repository.Require(Program, MadeBy)];

    public static HelloApplication In(string language) => language switch
    {
        "python" => s_python,
        "typescript" => s_typeScript,
        _ => throw new ArgumentException($"There is no hello application in {language}.", nameof(language)),
    };
}

/// <summary>The languages that every theory runs with. The conformance kit tests the differences between languages, so one of them is enough in the default tier.</summary>
public static class Languages
{
    public static TheoryData<string> All { get; } = [new TheoryDataRow<string>("python").WithTrait("Tier", "All"), "typescript"];
}
