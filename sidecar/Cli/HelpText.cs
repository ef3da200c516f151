using System.Text;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Cli;

/// <summary>The whole of <c>--help</c>.</summary>
internal static class HelpText
{
    private const int Width = 100;

    public static string Write()
    {
        var text = new StringBuilder();
        text.Append("genkit-sidecar: makes an application in any language a runtime of the Genkit CLI and Dev UI, over gRPC\n\nUsage:\n");
        foreach (var (_, _, usage, description) in VerbTable.All)
        {
            text.Append($"  genkit-sidecar {usage}\n");
            AppendWrapped(text, "      ", description);
        }

        text.Append($"\nWhat is open with {RuntimeSettingTable.GenkitEnv.EnvironmentVariable}=dev, and otherwise:\n");
        foreach (var (door, inDevelopment, elsewhere) in OpenDoors.Table)
        {
            AppendWrapped(text, "  ", door);
            AppendWrapped(text, "      ", $"dev: {inDevelopment}");
            AppendWrapped(text, "      ", $"otherwise: {elsewhere}");
        }

        text.Append("\nEvery setting is a flag, an environment variable and a key of the file that --config names; the first of these wins.\n");
        foreach (var group in SettingTable.Groups)
        {
            text.Append($"\n{group.Heading}:\n");
            foreach (var setting in group.Settings)
            {
                text.Append($"  {setting.Flag} {setting.Placeholder}\n");
                AppendWrapped(text, "      ", setting.Description);
                AppendWrapped(text, "      ", $"{setting.EnvironmentVariable}; default: {setting.DefaultText}");
            }
        }

        text.Append($"""

            Exit codes:
              {ExitCode.Success,-5} Done, or stopped when asked to
              {ExitCode.Failure,-5} The call or a step of doctor failed, an address is taken, or `health` found something wrong
              {ExitCode.Usage,-5} The command line or a setting is wrong
              {ExitCode.CommandNotExecutable,-5} COMMAND cannot be executed
              {ExitCode.CommandNotFound,-5} COMMAND was not found
              {ExitCode.Signal}+N Signal N ended COMMAND
              other What COMMAND exited with

            Example:
              genkit start --experimental-reflection-v2 -- genkit-sidecar run -- python app.py

            """);
        return text.ToString();
    }

    private static void AppendWrapped(StringBuilder text, string indent, string paragraph)
    {
        var column = 0;
        foreach (var word in paragraph.Split(' '))
        {
            if (column > 0 && column + 1 + word.Length > Width)
            {
                text.Append('\n');
                column = 0;
            }

            var gap = column == 0 ? indent : " ";
            text.Append(gap).Append(word);
            column += gap.Length + word.Length;
        }

        text.Append('\n');
    }
}
