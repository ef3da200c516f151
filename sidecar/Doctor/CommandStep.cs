using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Doctor;

/// <summary>Starts the command as <c>run</c> does, and waits until it listens.</summary>
internal sealed class CommandStep(IReadOnlyList<string> command, SidecarExecutable executable, ILoggerFactory logs, Task hurry) : IAsyncDisposable
{
    /// <summary>What a command gets to end by itself once all is said; a person waits.</summary>
    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(2);

    private ApplicationProcess? _process;

    public async Task<Finding> StartAsync(Parsed<ApplicationAddress> address, ProcessSettings settings, CancellationToken cancellationToken)
    {
        if (address.Value is not { } listen)
        {
            return Finding.Failed(address.Problem!, "`--app` with a free address, or end what has that one");
        }

        if (await IsTakenAsync(listen, cancellationToken))
        {
            return Finding.Failed(
                $"another process listens on {listen.ListenAddress} already, so it was not started",
                "End what has that address, or leave out `-- COMMAND` if it is the application",
                "`--app` with another address, or none: then a free one is taken");
        }

        var words = new ApplicationCommand(command, listen.ListenAddress, executable);
        _process = ApplicationProcess.Start(words, Limits.Least(settings.StopTimeout, s_stopLimit), logs.CreateLogger<ApplicationProcess>());
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var accepted = Dial.UntilAcceptedAsync(Dial.EndPointOf(listen), TimeProvider.System, waiting.Token);
        if (await Task.WhenAny(accepted, _process.Exited) == accepted)
        {
            await accepted;
            return Finding.Ok($"process {_process.Id} listens on {listen.ListenAddress}");
        }

        await waiting.CancelAsync();
        return Finding.Failed(
            $"it ended with exit code {(await _process.Exited).Code} before anything listened on {listen.ListenAddress}",
            $"Run it alone, and see what it says: `{ApplicationEnvironment.Listen}={listen.ListenAddress} {command[0]}{(command.Count > 1 ? " …" : "")}`");
    }

    public static IReadOnlyList<string> Silence(ApplicationAddress listen) =>
    [
        $"Let it listen on what {ApplicationEnvironment.Listen} says, here `{listen.ListenAddress}`",
        "Or name the address that it listens on with `--app`",
        $"Or give it more time with `{ApplicationSettingTable.AppStartTimeout.Flag} TIME`",
    ];

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.StopAsync(Posix.SignalTerminate, hurry);
            await _process.DisposeAsync();
        }
    }

    private static async Task<bool> IsTakenAsync(ApplicationAddress listen, CancellationToken cancellationToken)
    {
        try
        {
            await Dial.ConnectAsync(Dial.EndPointOf(listen), cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
