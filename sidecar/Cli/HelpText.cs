using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Cli;

/// <summary>What <c>help</c> and <c>--help</c> print.</summary>
internal static class HelpText
{
    /// <summary>The topic of <c>help</c> that is not a verb.</summary>
    public const string SettingsTopic = "settings";

    private const int VerbColumn = 31;
    private const int FlagColumn = 32;
    private const int ExitCodeColumn = 9;

    /// <summary>What <c>help</c> explains.</summary>
    public static IReadOnlyCollection<string> Topics => [.. VerbTable.Names, SettingsTopic];

    /// <summary>One screen of 24 lines: the verbs and three examples.</summary>
    public static string Overview()
    {
        var help = new HelpWriter()
            .Paragraph(0, "genkit-sidecar makes an application in any language a runtime of the Genkit CLI and Dev UI, over gRPC.")
            .Line()
            .Line("Usage: genkit-sidecar VERB [FLAGS]")
            .Line();
        foreach (var verb in VerbTable.All)
        {
            help.Definition($"{verb.Name} {verb.Arguments}", VerbColumn, verb.Summary);
        }

        return help
            .Line()
            .Line("Examples:")
            .Line("  genkit start -- genkit-sidecar run -- python app.py")
            .Line("  genkit-sidecar run --manager ws://localhost:3200 --app http://localhost:50051")
            .Line("  genkit-sidecar call /flow/greet '\"Ada\"' --app http://localhost:50051")
            .Line()
            .Line("Flags of a verb: genkit-sidecar VERB --help")
            .Line("All settings:    genkit-sidecar help settings")
            .ToString();
    }

    /// <summary>Usage and flags of one verb.</summary>
    public static string Of(Verb verb)
    {
        var row = VerbTable.All.First(row => row.Verb == verb);
        string[] words = [row.Name, row.Flags, row.Arguments];
        var help = new HelpWriter()
            .Line($"Usage: genkit-sidecar {string.Join(' ', words.Where(word => word.Length > 0))}")
            .Line()
            .Paragraph(0, row.Description);
        if (verb == Verb.Run)
        {
            AddFlags(help);
            AddExitCodes(help);
        }
        else if (verb is Verb.Actions or Verb.Call or Verb.Health or Verb.Doctor)
        {
            help.Line().Paragraph(0, "It takes the flags of run too, and ignores those that it has no use for: genkit-sidecar run --help");
        }

        return help.ToString();
    }

    /// <summary>All that is known of all settings.</summary>
    public static string Settings()
    {
        var help = new HelpWriter()
            .Paragraph(0, "Every setting is a flag, an environment variable and a key of the file that --config names; the first of these wins.")
            .Line()
            .Line($"What is open with {RuntimeSettingTable.GenkitEnv.EnvironmentVariable}=dev, and otherwise:");
        foreach (var (endpoint, inDevelopment, elsewhere) in EnabledEndpoints.Table)
        {
            help.Paragraph(2, endpoint).Paragraph(6, $"dev: {inDevelopment}").Paragraph(6, $"otherwise: {elsewhere}");
        }

        foreach (var group in SettingTable.Groups)
        {
            help.Line().Line($"{group.Heading}:");
            foreach (var setting in group.Settings)
            {
                help.Line($"  {setting.Flag} {setting.Placeholder}")
                    .Paragraph(6, setting.Description)
                    .Paragraph(6, $"variable: {setting.EnvironmentVariable}")
                    .Paragraph(6, $"accepted: {setting.Accepts}")
                    .Paragraph(6, $"default: {setting.DefaultText} ({setting.Reason})");
            }
        }

        return help.ToString();
    }

    private static void AddFlags(HelpWriter help)
    {
        foreach (var group in SettingTable.Groups)
        {
            help.Line().Line($"{group.Heading}:");
            foreach (var setting in group.Settings)
            {
                help.Definition(
                    $"{setting.Flag} {setting.Placeholder}",
                    FlagColumn,
                    setting.Default is null ? setting.Summary : $"{setting.Summary} [{setting.Default}]");
            }
        }

        help.Line().Paragraph(0, "[…] is the default. With variables, accepted values and reasons: genkit-sidecar help settings");
    }

    private static void AddExitCodes(HelpWriter help)
    {
        help.Line().Line("Exit codes:");
        foreach (var (code, meaning) in new[]
        {
            ($"{ExitCode.Success}", "Done, or stopped when asked to"),
            ($"{ExitCode.Failure}", "The call or a step of doctor failed, an address is taken, or `health` found something wrong"),
            ($"{ExitCode.Usage}", "The command line or a setting is wrong"),
            ($"{ExitCode.CommandNotExecutable}", "COMMAND cannot be executed"),
            ($"{ExitCode.CommandNotFound}", "COMMAND was not found"),
            ($"{ExitCode.Signal}+N", "Signal N ended COMMAND"),
            ("other", "What COMMAND exited with"),
        })
        {
            help.Definition(code, ExitCodeColumn, meaning);
        }
    }
}
