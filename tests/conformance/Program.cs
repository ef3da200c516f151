using System.Net;
using System.Reflection;
using System.Runtime.InteropServices;
using Genkit.Sidecar.Conformance;
using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Reports;
using Genkit.Sidecar.Conformance.Running;
using Genkit.Sidecar.Conformance.Suites;
using Genkit.Sidecar.Grpc;

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
    var cases = all.Where(one => selection.Has(one.Id)).ToList();
    if (cases.Count == 0)
    {
        throw new UsageException($"--only: no case is called like {string.Join(" or ", line.Only)}; `genkit-conformance list` prints the ids");
    }

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
    Console.Error.WriteLine($"error: {e.Message}\n`genkit-conformance --help` tells more.");
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
        // What was started is to be stopped first.
        signal.Cancel = true;
        interrupted.Cancel();
    }

    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);

    try
    {
        await using var junit = Create("--junit", line.JUnit);
        await using var json = Create("--json", line.Json);
        await using var source = await SourceAsync(line, catalogue, interrupted.Token);
        IReadOnlyList<IReport> reports = [new ConsoleReport(Console.Out, !Console.IsOutputRedirected), new JUnitReport(junit), new JsonReport(json)];
        var session = new Session(source, catalogue, line.Without, known, line.Timeout);
        var outcomes = await session.RunAsync(cases, reports, interrupted.Token);
        if (outcomes.Count == 0)
        {
            throw new UsageException($"none of these cases makes sense here: {cases[0].Id}, for instance, as {cases[0].NotIn[source.Way]}");
        }

        return outcomes.Any(outcome => outcome.IsBad) ? ExitCode.Failed : ExitCode.Passed;
    }
    catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
    {
        Console.Error.WriteLine("error: interrupted");
        return ExitCode.NotStarted;
    }
}

static async Task<ISubjectSource> SourceAsync(CommandLine line, Catalogue catalogue, CancellationToken cancellationToken)
{
    var command = line.Command.Count == 0 ? null : await ApplicationCommand.StartAsync(line.Command, cancellationToken);
    var target = command?.Target ?? (line.App is { } address ? TargetOf(address) : null);
    if (line.Sidecar is not { } sidecar)
    {
        return new ApplicationSource(target!, command);
    }

    return target is null
        ? await SidecarSource.StartAsync(sidecar, await ReferenceApplication.StartAsync(catalogue, line.Broken, line.Without), cancellationToken)
        : await SidecarSource.StartAsync(sidecar, target, command, cancellationToken);
}

static Stream Create(string flag, string? file)
{
    try
    {
        return file is null ? Stream.Null : File.Create(file);
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        throw new UsageException($"{flag} {file}: {e.Message}");
    }
}

static GrpcTarget TargetOf(string address) =>
    GrpcTarget.TryParse(address, out var target, out var error) ? target : throw new UsageException($"--app: {error}");

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
        throw new UsageException($"--listen: '{text}' is no IP address with a port");
    }

    var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        asked.TrySetResult();
    }

    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
    await using var application = await ReferenceApplication.StartAsync(catalogue, line.Broken, line.Without, address);
    Console.WriteLine($"genkit-conformance serves {application.Target}");
    await asked.Task;
    return ExitCode.Passed;
}
