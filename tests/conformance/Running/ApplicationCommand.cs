using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>The application that the kit starts by a command, and starts anew where it is lost.</summary>
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
    /// <exception cref="StartFailure">It does not.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _process = ChildProcess.Start(_command, new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = _listen });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_starting);

        // Nothing tells when a foreign process listens but a connection to it.
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
                $"the application does not serve {Address}, which GENKIT_SIDECAR_LISTEN names, after {s_starting.TotalSeconds} s: {absence ?? "it does not answer"}\n{_process.Output}");
        }
    }

    /// <summary>Starts it again if it has ended, or does not answer any more.</summary>
    /// <param name="hasFailed">Whether there is reason to ask it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How it was lost, for people; null if it runs.</returns>
    /// <exception cref="StartFailure">It does not start any more.</exception>
    public async Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken)
    {
        string? loss = null;
        if (hasFailed && await AbsenceAsync(cancellationToken) is { } absence)
        {
            // A connection ends before its process does.
            await _process!.ExitedAsync(s_ending, cancellationToken);
            loss = $"the application runs and does not answer any more: {absence}\n{_process.Output}";
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
            throw new StartFailure($"{loss}\nStarted again, it does not serve: {e.Message}");
        }
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Why it does not answer, for people; null if it does, be it well or not: that is for the cases to tell.</summary>
    private async Task<string?> AbsenceAsync(CancellationToken cancellationToken)
    {
        await using var subject = new ApplicationSubject(Address);
        return await subject.AbsenceAsync(cancellationToken);
    }
}
