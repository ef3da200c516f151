using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>An application that the kit starts with a command, and restarts after a failure.</summary>
internal sealed class ApplicationCommand : IAsyncDisposable
{
    private static readonly TimeSpan s_starting = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_ending = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyList<string> _command;
    private readonly string _listen = $"127.0.0.1:{FreePort()}";
    private ChildProcess? _process;

    public ApplicationCommand(IReadOnlyList<string> command)
    {
        _command = command;
        Address = new ApplicationAddress($"http://{_listen}");
    }

    public ApplicationAddress Address { get; }

    /// <summary>Starts the command and waits until it answers.</summary>
    /// <exception cref="StartFailure">The application does not answer.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _process = ChildProcess.Start(_command, new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = _listen });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_starting);

        // Only a connection shows whether the process is listening.
        using var pauses = new PeriodicTimer(s_pause);
        string? absence = null;
        try
        {
            while ((absence = await AbsenceAsync(patience.Token)) is not null)
            {
                if (await _process.EndAsync() is { } code)
                {
                    throw new StartFailure($"the application ended with {code} before it served {Address}. {_process.Output}");
                }

                await pauses.WaitForNextTickAsync(patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartFailure(
                $"the application does not serve {Address}, the address in GENKIT_SIDECAR_LISTEN, after {s_starting.TotalSeconds} s: {absence ?? "it does not answer"}\n{_process.Output}");
        }
    }

    /// <summary>Restarts the application if it has ended or no longer answers.</summary>
    /// <param name="hasFailed">Whether to check that the application still answers.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Why it was restarted, or null if it runs.</returns>
    /// <exception cref="StartFailure">The restart fails.</exception>
    public async Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken)
    {
        string? loss = null;
        if (hasFailed && await AbsenceAsync(cancellationToken) is { } absence)
        {
            // The connection closes before the process exits.
            await _process!.ExitedAsync(s_ending, cancellationToken);
            loss = $"the application runs but no longer answers: {absence}\n{_process.Output}";
        }

        if (await _process!.EndAsync() is { } code)
        {
            loss = $"the application ended with {code}. {_process.Output}";
        }

        if (loss is null)
        {
            return null;
        }

        await _process.DisposeAsync();
        try
        {
            await StartAsync(cancellationToken);
            return loss;
        }
        catch (StartFailure e)
        {
            throw new StartFailure($"{loss}\nThe restarted application does not answer: {e.Message}");
        }
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Returns why the application does not answer, or null if it does. The cases check the answers.</summary>
    private async Task<string?> AbsenceAsync(CancellationToken cancellationToken)
    {
        await using var subject = new ApplicationSubject(Address);
        return await subject.AbsenceAsync(cancellationToken);
    }
}
