using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Genkit.Sidecar.Conformance;
using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Reports;
using Genkit.Sidecar.Conformance.Running;
using Genkit.Sidecar.Conformance.Subjects;
using Genkit.Sidecar.Conformance.Suites;

try
{
    var catalogue = Catalogue.Load();
    var line = CommandLine.Parse(args, catalogue);
    if (line.WantsHelp)
    {
        Console.WriteLine(CommandLine.Usage);
        return ExitCode.Passed;
    }

    if (line.WantsVersion)
    {
        Console.WriteLine(typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);
        return ExitCode.Passed;
    }

    if (line.WantsRules)
    {
        Console.WriteLine(string.Join('\n', RuleNames.All.Keys));
        return ExitCode.Passed;
    }

    if (line.Word == "serve")
    {
        return await ServeAsync(line, catalogue);
    }

    var all = SuiteReader.Load(catalogue);
    var selection = new Selection(line.Only);
    if (selection.Useless(all.Select(one => one.Id)) is { } useless)
    {
        throw new UsageException($"--only: no case matches {useless}. `genkit-conformance list` prints the ids");
    }

    var cases = all.Where(one => selection.Has(one.Id)).ToList();
    if (line.Word == "list")
    {
        Console.WriteLine(string.Join('\n', cases.Select(one => one.Id)));
        return ExitCode.Passed;
    }

    var known = line.KnownFailing is { } file ? ReadKnown(file, all) : new Dictionary<string, string>();
    return await RunAsync(line, catalogue, cases, known);
}
catch (UsageException e)
{
    Console.Error.WriteLine($"error: {e.Message}\nRun `genkit-conformance --help` for usage.");
    return ExitCode.Usage;
}
catch (FormatException e)
{
    // An error in an embedded case file.
    Console.Error.WriteLine($"error: {e.Message}");
    return ExitCode.Usage;
}
catch (StartFailure e)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return ExitCode.NotStarted;
}

static async Task<int> RunAsync(CommandLine line, Catalogue catalogue, IReadOnlyList<Case> cases, IReadOnlyDictionary<string, string> known)
{
    using var interrupted = new CancellationTokenSource();
    void Interrupt(PosixSignalContext signal)
    {
        // Stop the started processes first.
        signal.Cancel = true;
        interrupted.Cancel();
    }

    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);

    await using var source = Source(line, catalogue);
    var sensible = cases.Where(one => !one.NotIn.ContainsKey(source.Way)).ToList();
    if (sensible.Count == 0)
    {
        throw new UsageException($"none of these cases applies in this mode. For example, {cases[0].Id}: {cases[0].NotIn[source.Way]}");
    }

    using var junit = new ReportFile("--junit", line.JUnit);
    using var json = new ReportFile("--json", line.Json);
    IReadOnlyList<IReport> reports = [new ConsoleReport(Console.Out, !Console.IsOutputRedirected), new JUnitReport(junit.Content), new JsonReport(json.Content)];
    var session = new Session(source, catalogue, line.Without, known, line.Timeout);
    var outcomes = await session.RunAsync(sensible, reports, interrupted.Token);
    if (outcomes.FirstOrDefault(outcome => outcome.Verdict == Verdict.NotRun) is { } first)
    {
        Console.Error.WriteLine($"error: {first.Reason}");
    }

    junit.Save();
    json.Save();
    return interrupted.IsCancellationRequested ? ExitCode.Interrupted
        : outcomes.All(outcome => outcome.Verdict == Verdict.NotRun) ? ExitCode.NotStarted
        : outcomes.Any(outcome => outcome.IsBad) ? ExitCode.Failed
        : ExitCode.Passed;
}

static ISubjectSource Source(CommandLine line, Catalogue catalogue)
{
    var command = line.Command.Count == 0 ? null : new ApplicationCommand(line.Command);
    var address = command?.Address ?? (line.App is { } app ? AddressOf(app, line.AppAuthorities) : null);
    return line.Sidecar is { } sidecar
        ? new SidecarSource(sidecar, address, command, () => ReferenceApplication.StartAsync(catalogue, line.Broken, line.Without))
        : new ApplicationSource(address!, command);
}

static ApplicationAddress AddressOf(string text, string? authorities)
{
    try
    {
        return new ApplicationAddress(text, authorities);
    }
    catch (FormatException e)
    {
        throw new UsageException($"--app: {e.Message}");
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
    {
        throw new UsageException($"--app-ca {authorities}: {e.Message}");
    }
}

static IReadOnlyDictionary<string, string> ReadKnown(string file, IReadOnlyList<Case> cases)
{
    try
    {
        return KnownFailures.Read(File.ReadLines(file), cases.Select(one => one.Id).ToHashSet());
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
    {
        throw new UsageException($"--known-failing {file}: {e.Message}");
    }
}

static async Task<int> ServeAsync(CommandLine line, Catalogue catalogue)
{
    var text = line.Listen ?? Environment.GetEnvironmentVariable("GENKIT_SIDECAR_LISTEN") ?? "127.0.0.1:50051";
    if (!IPEndPoint.TryParse(text, out var address))
    {
        throw new UsageException($"--listen: '{text}' is not an IP address with a port");
    }

    var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        asked.TrySetResult();
    }

    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
    await using var application = await StartAsync(catalogue, line, address);
    Console.WriteLine($"genkit-conformance serves {application.Address}");
    await asked.Task;
    return ExitCode.Passed;
}

static async Task<ReferenceApplication> StartAsync(Catalogue catalogue, CommandLine line, IPEndPoint address)
{
    try
    {
        return await ReferenceApplication.StartAsync(catalogue, line.Broken, line.Without, address);
    }
    catch (Exception e) when (e is IOException or SocketException)
    {
        throw new StartFailure($"--listen {address}: {e.Message}");
    }
}
