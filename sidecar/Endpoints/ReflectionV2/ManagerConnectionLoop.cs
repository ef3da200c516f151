using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// The Reflection API v2 endpoint: keeps a session with the manager for as long as the process lives. Connect, run the session, wait,
/// connect again; never gives up.
/// </summary>
internal sealed partial class ManagerConnectionLoop(
    ManagerSettings settings,
    ProcessSettings process,
    RuntimeSettings runtimeSettings,
    ManagerLocator locator,
    ApplicationClient application,
    ApplicationReadiness readiness,
    ActiveRuns runs,
    LimitSettings limits,
    TelemetryServer telemetry,
    TraceExporter traces,
    RuntimeIdClaim claim,
    ManagerStatus status,
    ManagerMetrics metrics,
    TimeProvider time,
    ILogger<ManagerConnectionLoop> logger) : BackgroundService
{
    /// <summary>
    /// A session that lasted this long counts as a success, after which a loss begins a new eager minute. Shorter ones belong to one
    /// outage: a manager that takes every connection and drops it must not be met twice a second for ever.
    /// </summary>
    private static readonly TimeSpan s_stablePeriod = TimeSpan.FromSeconds(5);

    /// <summary>Time for the last answers and the goodbye when the sidecar stops and runs have ended or were cancelled.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(1);

    private readonly ManagerSocketOptions _socketOptions = ManagerSocketOptions.From(settings, limits);

    private readonly ManagerIdentity _identity = new();
    private readonly PendingRequests _pendingRequests = new();
    private readonly ReconnectBackoff _backoff = new(settings.ReconnectInterval, settings.ReconnectMaxInterval, Random.Shared.NextDouble);
    private volatile ManagerSession? _session;
    private long _lostAt = time.GetTimestamp();
    private long _heldSince;
    private long _failedAttempts;
    private string _lastFailure = "";
    private long? _farewellSince;

    /// <summary>What the last answers leave to the last traces.</summary>
    private TimeSpan FarewellLeft =>
        _farewellSince is { } since ? TimeSpan.FromTicks(Math.Max(0, (s_farewell - time.GetElapsedTime(since)).Ticks)) : s_farewell;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.WatchQueue(() => _pendingRequests.Waiting.Messages + (_session?.WaitingAnswers ?? 0), () => _pendingRequests.Waiting.Bytes);
        status.LoopStarted();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await AttemptAsync(stoppingToken);
                await WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The one way out.
        }
        finally
        {
            status.LoopEnded();

            // No session is left to take what runs have to say, and a large payload keeps its run until it is taken.
            _pendingRequests.Hold();
            DropHeld("the sidecar stops");
            await runs.StopAsync();
            using var over = new CancellationTokenSource(FarewellLeft, time);
            await traces.DrainAsync(over.Token);
        }
    }

    private async Task AttemptAsync(CancellationToken stoppingToken)
    {
        var located = locator.Locate();
        if (located.Value is not { } address)
        {
            NoteFailure($"The manager's address is not known yet: {located.Problem}");
            return;
        }

        var shown = WebAddress.Shown(address);
        ManagerSocket socket;
        try
        {
            socket = await ManagerSocket.ConnectAsync(address, _socketOptions, metrics, stoppingToken);
        }
        catch (ManagerUnreachableException exception)
        {
            NoteFailure($"Cannot reach the manager at {shown}, from {locator.SourceOf(address)}: {exception.Message}");
            return;
        }

        var connectedAt = time.GetTimestamp();
        status.Away($"connected to {shown}, not registered yet");
        var end = await RunSessionAsync(address, socket, stoppingToken);
        if (stoppingToken.IsCancellationRequested)
        {
            return;
        }

        if (end.Reason == SessionEndReason.NotRegistered)
        {
            NoteFailure($"Not registered at {shown}: {end.Detail}");
        }
        else
        {
            status.Away($"the connection to {shown} has ended: {end.Detail}");
            Log.Ended(logger, shown, end.Reason, end.Detail);
            if (time.GetElapsedTime(connectedAt) >= s_stablePeriod)
            {
                _backoff.Reset();
                _lostAt = time.GetTimestamp();
            }
        }

        if (_pendingRequests.Hold() is > 0 and var held)
        {
            _heldSince = time.GetTimestamp();
            Log.Held(logger, held, limits.RunGrace.TotalSeconds);
        }
    }

    private async Task<SessionEnd> RunSessionAsync(Uri address, ManagerSocket socket, CancellationToken stoppingToken)
    {
        if (_identity.Connected(address.AbsoluteUri) == ManagerIdentity.Verdict.Restarted)
        {
            DropHeld("the manager's address has changed");
        }

        telemetry.Connected(address);
        await using var session = new ManagerSession(socket, _identity, _pendingRequests, runs, application, limits, telemetry, time, logger);
        _session = session;
        var running = session.RunAsync(
            RegistrationAsync,
            settings.RegisterTimeout,
            registration => OnRegistered(address, registration));
        try
        {
            return await running.WaitAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await FarewellAsync(session, running);
            return await running;
        }
        finally
        {
            _session = null;
        }
    }

    /// <summary>Lets runs end and their answers and the goodbye go out, for a moment: a manager that does not read must not keep the process.</summary>
    private async Task FarewellAsync(ManagerSession session, Task running)
    {
        await Task.WhenAny(runs.DrainAsync(process.DrainTimeout), running);
        _farewellSince = time.GetTimestamp();
        using var over = new CancellationTokenSource(s_farewell, time);
        try
        {
            await runs.StopAsync().WaitAsync(over.Token);
            session.Finish();
            await running.WaitAsync(over.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            Log.FarewellCutShort(logger);
        }

        session.Abort();
    }

    private async Task<Registration> RegistrationAsync(CancellationToken cancellationToken)
    {
        await readiness.WaitAsync(cancellationToken);
        var runtime = RuntimeDescription.Of(runtimeSettings, application.Info);
        return new Registration(runtime.Id, Environment.ProcessId, runtime.Name, runtime.GenkitVersion, runtime.Environments);
    }

    private void OnRegistered(Uri address, Registration registration)
    {
        var shown = WebAddress.Shown(address);
        status.Registered($"registered with {shown} as {registration.RuntimeId} since {time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'}");
        Log.Registered(logger, shown, registration.RuntimeId, registration.Name, _failedAttempts);
        _failedAttempts = 0;
        _lastFailure = "";
        claim.Claim(address);
    }

    /// <summary>Waits before the next attempt, and cancels held runs whose time is up meanwhile.</summary>
    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        var delay = _backoff.NextDelay(time.GetElapsedTime(_lostAt));
        var graceLeft = limits.RunGrace - time.GetElapsedTime(_heldSince);
        if (graceLeft > TimeSpan.Zero && graceLeft < delay)
        {
            await Task.Delay(graceLeft, time, stoppingToken);
            delay -= graceLeft;
            graceLeft = TimeSpan.Zero;
        }

        if (graceLeft <= TimeSpan.Zero)
        {
            DropHeld("the manager has been away for too long (--run-grace)");
        }

        await Task.Delay(delay, time, stoppingToken);
    }

    private void DropHeld(string reason)
    {
        if (_pendingRequests.Drop() is > 0 and var dropped)
        {
            Log.Dropped(logger, dropped, reason);
        }
    }

    /// <summary>Says a failure when it is new; its repetitions only count.</summary>
    private void NoteFailure(string failure)
    {
        _failedAttempts++;
        status.Away(failure);
        if (_lastFailure == failure)
        {
            Log.StillFailing(logger, _failedAttempts, failure);
            return;
        }

        _lastFailure = failure;
        Log.Failed(logger, failure);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Registered with the manager at {Address} as {RuntimeId} ({Name}) after {Failures} failed attempts", EventName = "ManagerRegistered")]
        public static partial void Registered(ILogger logger, string address, string runtimeId, string name, long failures);

        [LoggerMessage(LogLevel.Warning, "The connection to the manager at {Address} has ended ({Reason}): {Detail}", EventName = "ManagerConnectionEnded")]
        public static partial void Ended(ILogger logger, string address, SessionEndReason reason, string detail);

        [LoggerMessage(LogLevel.Warning, "{Failure}. Retrying. Is `genkit start --experimental-reflection-v2` running?", EventName = "ManagerConnectFailed")]
        public static partial void Failed(ILogger logger, string failure);

        [LoggerMessage(LogLevel.Debug, "Attempt {Count} failed too: {Failure}", EventName = "ManagerConnectRetryFailed")]
        public static partial void StillFailing(ILogger logger, long count, string failure);

        [LoggerMessage(LogLevel.Debug, "The manager did not take the last answers in time", EventName = "ManagerFlushTimedOut")]
        public static partial void FarewellCutShort(ILogger logger);

        [LoggerMessage(LogLevel.Information, "{Count} runs go on without their manager, for {Seconds:0} s at most (--run-grace)", EventName = "RunsHeld")]
        public static partial void Held(ILogger logger, int count, double seconds);

        [LoggerMessage(LogLevel.Warning, "{Count} runs were cancelled: {Reason}", EventName = "RunsCancelled")]
        public static partial void Dropped(ILogger logger, int count, string reason);
    }
}
