using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Conformance.Subjects;
using Genkit.Sidecar.Grpc;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>The application that the kit starts by a command, and starts anew where it has died.</summary>
internal sealed class ApplicationCommand : IAsyncDisposable
{
    private static readonly TimeSpan s_starting = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_ending = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyList<string> _command;
    private readonly int _port = FreePort();
    private ChildProcess? _process;

    private ApplicationCommand(IReadOnlyList<string> command) => _command = command;

    public GrpcTarget Target => GrpcTarget.Parse($"http://127.0.0.1:{_port}");

    /// <summary>Starts the command and waits until it answers.</summary>
    /// <exception cref="StartFailure">It does not.</exception>
    public static async Task<ApplicationCommand> StartAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var application = new ApplicationCommand(command);
        try
        {
            await application.StartAsync(cancellationToken);
            return application;
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it again if it has ended.</summary>
    /// <param name="mayBeEnding">Whether there is reason to believe that it is about to end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How it had ended, for people; null if it runs.</returns>
    /// <exception cref="StartFailure">It does not start any more.</exception>
    public async Task<string?> RestartIfEndedAsync(bool mayBeEnding, CancellationToken cancellationToken)
    {
        if (mayBeEnding && !await IsServingAsync(cancellationToken))
        {
            // A connection ends before its process does.
            await _process!.ExitedAsync(s_ending, cancellationToken);
        }

        if (_process!.ExitCode is not { } code)
        {
            return null;
        }

        var end = $"the application ended with {code}. {_process.Output}";
        await _process.DisposeAsync();
        await StartAsync(cancellationToken);
        return end;
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _process = ChildProcess.Start(_command, new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = $"127.0.0.1:{_port}" });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_starting);

        // Nothing tells when a foreign process listens but a connection to it.
        using var pauses = new PeriodicTimer(s_pause);
        try
        {
            while (!await IsServingAsync(patience.Token))
            {
                if (_process.ExitCode is { } code)
                {
                    throw new StartFailure($"the application ended with {code} before it served {Target}. {_process.Output}");
                }

                await pauses.WaitForNextTickAsync(patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartFailure($"the application does not serve {Target}, which GENKIT_SIDECAR_LISTEN names, after {s_starting.TotalSeconds} s. {_process.Output}");
        }
    }

    /// <summary>Whether it answers, be it well or not: that is for the cases to tell.</summary>
    private async Task<bool> IsServingAsync(CancellationToken cancellationToken)
    {
        await using var subject = new ApplicationSubject(Target);
        return await subject.IsServedAsync(cancellationToken);
    }
}
