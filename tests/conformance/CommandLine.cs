using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Reference;

namespace Genkit.Sidecar.Conformance;

/// <summary>The parsed command line.</summary>
internal sealed class CommandLine
{
    public const string Usage = """
        Tests an implementation of genkit.sidecar.v1.ActionService.

        Usage:
          genkit-conformance [options] -- COMMAND…        starts an application, tests it, stops it
          genkit-conformance [options] --app ADDRESS      tests a running application
          genkit-conformance [options] --sidecar FILE     tests a sidecar with the kit's own application
          genkit-conformance [options] --sidecar FILE -- COMMAND…   (or --app) tests both together
          genkit-conformance list [options]               prints the ids of the cases
          genkit-conformance serve [--listen ADDRESS] [--break RULE] [--without FEATURE]
                                                          serves the kit's own application

        Options:
          --app ADDRESS          http://HOST:PORT, https://HOST:PORT or unix:/path
          --app-ca FILE          PEM file of the only certificate authorities to trust for an https application
          --sidecar FILE         the genkit-sidecar to test
          --only GLOB            run only cases with matching ids, such as 'bidi/*'; may be repeated
          --without FEATURE      optional feature that the application does not support; may be repeated. See catalogue.jsonc
          --known-failing FILE   file with one line ID: REASON per failing case. The cases run, and one that passes fails the run
          --timeout TIME         timeout of each case, such as 5s
          --junit FILE           write the outcomes as JUnit XML, even if the run is interrupted
          --json FILE            write the outcomes as JSON
          --listen ADDRESS       with serve: HOST:PORT. Defaults to GENKIT_SIDECAR_LISTEN, else 127.0.0.1:50051
          --break RULE           with serve: rule that the application breaks; `--break help` lists the rules
          --help, --version

        Exit codes: 0 all cases passed, 1 some did not, 2 the tested program did not start, 64 invalid command line,
        130 interrupted.
        """;

    private static readonly HashSet<string> s_words = ["list", "serve"];
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(24);

    private CommandLine()
    {
    }

    /// <summary>list, serve, or empty to run cases.</summary>
    public string Word { get; private set; } = "";

    public bool WantsHelp { get; private set; }

    public bool WantsVersion { get; private set; }

    public string? App { get; private set; }

    /// <summary>A file in PEM form.</summary>
    public string? AppAuthorities { get; private set; }

    public string? Sidecar { get; private set; }

    public IReadOnlyList<string> Command { get; private set; } = [];

    public List<string> Only { get; } = [];

    public HashSet<string> Without { get; } = new(StringComparer.Ordinal);

    public string? KnownFailing { get; private set; }

    public TimeSpan? Timeout { get; private set; }

    public string? JUnit { get; private set; }

    public string? Json { get; private set; }

    public string? Listen { get; private set; }

    public Rule? Broken { get; private set; }

    public bool WantsRules { get; private set; }

    /// <exception cref="UsageException">The command line is invalid.</exception>
    public static CommandLine Parse(IReadOnlyList<string> arguments, Catalogue catalogue)
    {
        var line = new CommandLine();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument == "--")
            {
                line.Command = [.. arguments.Skip(i + 1)];
                if (line.Command.Count == 0)
                {
                    throw new UsageException("the command after -- is missing");
                }

                break;
            }

            string Value() => ++i < arguments.Count ? arguments[i] : throw new UsageException($"{argument} needs a value");
            switch (argument)
            {
                case "--help" or "-h":
                    line.WantsHelp = true;
                    break;
                case "--version":
                    line.WantsVersion = true;
                    break;
                case "--app":
                    line.App = Value();
                    break;
                case "--app-ca":
                    line.AppAuthorities = Value();
                    break;
                case "--sidecar":
                    line.Sidecar = Value();
                    break;
                case "--only":
                    line.Only.Add(Value());
                    break;
                case "--without":
                    line.Without.Add(Feature(Value(), catalogue));
                    break;
                case "--known-failing":
                    line.KnownFailing = Value();
                    break;
                case "--timeout":
                    line.Timeout = Time(Value());
                    break;
                case "--junit":
                    line.JUnit = Value();
                    break;
                case "--json":
                    line.Json = Value();
                    break;
                case "--listen":
                    line.Listen = Value();
                    break;
                case "--break":
                    line.TakeRule(Value());
                    break;
                default:
                    line.TakeWord(argument);
                    break;
            }
        }

        line.Check();
        return line;
    }

    private static string Feature(string name, Catalogue catalogue) => catalogue.Features.ContainsKey(name)
        ? name
        : throw new UsageException($"--without: unknown feature {name}. The features are {string.Join(", ", catalogue.Features.Keys)}");

    private static TimeSpan Time(string text)
    {
        try
        {
            var time = Duration.Parse(text);
            return time > TimeSpan.Zero && time <= s_longest ? time : throw new UsageException($"--timeout: {text} is not between 1ms and {s_longest.TotalHours} hours");
        }
        catch (FormatException e)
        {
            throw new UsageException($"--timeout: {e.Message}");
        }
    }

    private void TakeRule(string name)
    {
        if (name == "help")
        {
            WantsRules = true;
        }
        else
        {
            Broken = RuleNames.Find(name) ?? throw new UsageException($"--break: unknown rule {name}. `--break help` lists the rules");
        }
    }

    private void TakeWord(string word)
    {
        if (Word.Length > 0 || !s_words.Contains(word))
        {
            throw new UsageException($"unknown argument {word}");
        }

        Word = word;
    }

    private void Check()
    {
        if (App is not null && Command.Count > 0)
        {
            throw new UsageException("--app and a command cannot be combined, because the kit sets the address of the command");
        }

        if (AppAuthorities is not null && App?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) != true)
        {
            throw new UsageException("--app-ca requires --app https://HOST:PORT");
        }

        if (Word.Length > 0 && (App is not null || Sidecar is not null || Command.Count > 0))
        {
            throw new UsageException($"{Word} runs no cases, so --app, --sidecar and a command are not allowed");
        }

        if (Word != "serve" && Listen is not null)
        {
            throw new UsageException("--listen requires serve");
        }

        if (Word != "serve" && Broken is not null && (Sidecar is null || App is not null || Command.Count > 0))
        {
            throw new UsageException("--break applies to the kit's own application. Use it with serve, or with --sidecar only");
        }

        if (Word.Length == 0 && !WantsHelp && !WantsVersion && App is null && Sidecar is null && Command.Count == 0)
        {
            throw new UsageException("nothing to test. Specify --app ADDRESS, --sidecar FILE or -- COMMAND");
        }
    }
}
