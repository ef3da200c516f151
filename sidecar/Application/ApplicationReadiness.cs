namespace Genkit.Sidecar.Application;

/// <summary>
/// Waits for an application that starts beside the sidecar, so that the tools find its actions as soon as they find the runtime.
/// Not for ever: past the limit the runtime shows itself all the same, and listings say why the application is away.
/// </summary>
internal sealed partial class ApplicationReadiness(ApplicationClient application, TimeSpan limit, TimeProvider time, ILogger<ApplicationReadiness> logger) : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Of several waiting endpoints, one asks.</summary>
    private readonly SemaphoreSlim _gate = new(1);
    private readonly long _start = time.GetTimestamp();
    private bool _over;

    /// <summary>Completes when the application has listed its actions, or the limit has passed; at once ever after.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!_over)
            {
                await WaitOnceAsync(cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task WaitOnceAsync(CancellationToken cancellationToken)
    {
        var left = limit - time.GetElapsedTime(_start);
        using var timeout = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var said = "";
        try
        {
            while (true)
            {
                var answer = await application.ListActionsAsync(either.Token);
                if (answer.Value is { } actions)
                {
                    await application.GreetedAsync(either.Token);
                    Log.Answered(logger, application.Address, actions.Actions.Count);
                    break;
                }

                if (said != answer.Failure!.Message)
                {
                    said = answer.Failure.Message;
                    Log.Waiting(logger, said);
                }

                await Task.Delay(s_interval, time, either.Token);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Log.GaveUp(logger, limit.TotalSeconds, application.Address);
        }

        _over = true;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The application at {Address} lists {Count} actions", EventName = "ApplicationListed")]
        public static partial void Answered(ILogger logger, string address, int count);

        [LoggerMessage(LogLevel.Information, "Waiting for the application: {Failure}", EventName = "ApplicationAwaited")]
        public static partial void Waiting(ILogger logger, string failure);

        [LoggerMessage(LogLevel.Warning, "The application at {Address} has not listed its actions within {Seconds:0.#} s (--app-start-timeout); going on without it", EventName = "ApplicationStartTimedOut")]
        public static partial void GaveUp(ILogger logger, double seconds, string address);
    }
}
