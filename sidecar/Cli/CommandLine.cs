using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Cli;

/// <summary>
/// The words of the command line, sorted: verb, flags, arguments, and verbatim what stands behind <c>--</c>. Hand-made, for flags,
/// help, errors and hints all come from <see cref="SettingTable"/>, and the words of the application's command must not be interpreted.
/// </summary>
internal sealed class CommandLine
{
    private const string StreamFlag = "--stream";
    private const string JsonFlag = "--json";
    private const string RunFlag = "--run";

    private readonly Dictionary<string, IReadOnlyList<string>> _flags = new(StringComparer.Ordinal);
    private readonly List<string> _arguments = [];
    private readonly List<string> _problems = [];
    private bool _hasUnknownVerb;

    private CommandLine()
    {
    }

    public Verb? Verb { get; private set; }

    public bool WantsHelp { get; private set; }

    /// <summary>Whether chunks are wanted; only <c>call</c> takes it.</summary>
    public bool IsStreaming { get; private set; }

    /// <summary>Whether the report is JSON; only <c>doctor</c> accepts it.</summary>
    public bool IsJson { get; private set; }

    /// <summary>Key of the action that <c>doctor</c> runs; its input is the argument.</summary>
    public string? RunKey { get; private set; }

    /// <summary>By setting name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Flags => _flags;

    public IReadOnlyList<string> Arguments => _arguments;

    /// <summary>Empty without <c>--</c>.</summary>
    public IReadOnlyList<string> Command { get; private set; } = [];

    public IReadOnlyList<string> Problems => _problems;

    public static CommandLine Parse(IReadOnlyList<string> words)
    {
        var line = new CommandLine();
        var end = words.TakeWhile(word => word != "--").Count();
        line.ReadWords(new Queue<string>(words.Take(end)));
        line.Command = [.. words.Skip(end + 1)];
        line.Check(hasCommandMark: end < words.Count);
        return line;
    }

    private void ReadWords(Queue<string> words)
    {
        while (words.TryDequeue(out var word))
        {
            switch (word)
            {
                case "-h" or "--help":
                    WantsHelp = true;
                    break;
                case "--version" when Verb is null:
                    Verb = Cli.Verb.Version;
                    break;
                case StreamFlag:
                    IsStreaming = true;
                    break;
                case JsonFlag:
                    IsJson = true;
                    break;
                case RunFlag:
                    TakeRunKey(words.TryPeek(out var next) && !next.StartsWith('-') ? words.Dequeue() : "");
                    break;
                case var _ when word.StartsWith($"{RunFlag}=", StringComparison.Ordinal):
                    TakeRunKey(word[(RunFlag.Length + 1)..]);
                    break;
                default:
                    // A lone dash is standard input, and one before a digit a negative number.
                    if (word is ['-', not (>= '0' and <= '9'), ..])
                    {
                        ReadFlag(word, words);
                    }
                    else
                    {
                        ReadArgument(word);
                    }

                    break;
            }
        }
    }

    private void TakeRunKey(string key)
    {
        if (key.Length > 0)
        {
            RunKey = key;
        }
        else
        {
            _problems.Add($"flag {RunFlag}: needs the KEY of an action, such as /flow/summarize");
        }
    }

    private void ReadArgument(string word)
    {
        if (Verb is not null || _hasUnknownVerb)
        {
            _arguments.Add(word);
            return;
        }

        Verb = VerbTable.Find(word);
        if (Verb is null)
        {
            _hasUnknownVerb = true;
            _problems.Add($"{QuotedText.Text(word)} is not a verb{NearestName.Hint(word, VerbTable.Names)}");
        }
    }

    private void ReadFlag(string word, Queue<string> words)
    {
        var equals = word.IndexOf('=');
        var flag = equals < 0 ? word : word[..equals];
        var setting = SettingTable.All.FirstOrDefault(setting => setting.Flag == flag);
        if (setting is null)
        {
            _problems.Add($"there is no flag {QuotedText.Text(flag)}{NearestName.Hint(flag, [.. SettingTable.All.Select(row => row.Flag), StreamFlag, JsonFlag, RunFlag, "--help"])}");

            // What follows was most likely its value, and one mistake is enough.
            if (equals < 0 && words.TryPeek(out var next) && !next.StartsWith('-') && VerbTable.Find(next) is null)
            {
                words.Dequeue();
            }
        }
        else if (equals >= 0)
        {
            AddFlag(setting, word[(equals + 1)..]);
        }
        else if (words.TryPeek(out var value) && !value.StartsWith("--", StringComparison.Ordinal))
        {
            AddFlag(setting, words.Dequeue());
        }
        else
        {
            _problems.Add($"flag {flag}: has no value; accepted: {setting.Accepts}");
        }
    }

    private void AddFlag(Setting setting, string text) =>
        _flags[setting.Name] = [.. _flags.GetValueOrDefault(setting.Name) ?? [], text];

    private void Check(bool hasCommandMark)
    {
        if (_hasUnknownVerb)
        {
            return;
        }

        if (IsStreaming && Verb != Cli.Verb.Call)
        {
            _problems.Add($"flag {StreamFlag}: only `call` takes it");
        }

        if (Verb != Cli.Verb.Doctor && (IsJson || RunKey is not null))
        {
            _problems.Add($"flag {(IsJson ? JsonFlag : RunFlag)}: only `doctor` takes it");
        }

        if (hasCommandMark && Verb is not (Cli.Verb.Run or Cli.Verb.Doctor))
        {
            _problems.Add("-- comes before the command of `run` or `doctor`, and no other verb takes one");
        }
        else if (hasCommandMark && Command.Count == 0)
        {
            _problems.Add("no command comes after --");
        }

        var (least, most) = Verb switch
        {
            Cli.Verb.Call => (1, 2),
            Cli.Verb.Doctor => (0, RunKey is null ? 0 : 1),
            Cli.Verb.Help or Cli.Verb.Health => (0, 1),
            _ => (0, 0),
        };
        if (_arguments.Count < least)
        {
            _problems.Add("`call` needs the KEY of an action, such as /flow/summarize");
        }
        else if (_arguments.Count > most)
        {
            _problems.Add(Verb == Cli.Verb.Run
                ? $"{QuotedText.Text(_arguments[0])}: a command comes after --, as in `run -- {_arguments[0]}`"
                : $"{QuotedText.Text(_arguments[most])}: is one argument too many");
        }
        else if (Verb == Cli.Verb.Help && _arguments.Except(HelpText.Topics).FirstOrDefault() is { } topic)
        {
            _problems.Add($"{QuotedText.Text(topic)} is not a topic of help{NearestName.Hint(topic, HelpText.Topics)}; accepted: {string.Join(", ", HelpText.Topics)}");
        }
        else if (Verb == Cli.Verb.Health && _arguments.Except(HealthVerb.Names).FirstOrDefault() is { } unknown)
        {
            _problems.Add($"{QuotedText.Text(unknown)} is not a probe{NearestName.Hint(unknown, HealthVerb.Names)}; accepted: {string.Join(", ", HealthVerb.Names)}");
        }
    }
}
