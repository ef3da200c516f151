using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>Collects the sidecar's log events. Tests wait for and count them by name, and declare the errors that they expect.</summary>
internal sealed class LogCapture : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<LogEvent> _events = new();
    private readonly List<(Func<LogEvent, bool> Matches, TaskCompletionSource<LogEvent> Found)> _waiters = [];
    private readonly ConcurrentBag<string> _expectedErrors = [];

    public IReadOnlyList<LogEvent> Events => [.. _events];

    public IReadOnlyList<LogEvent> UnexpectedErrors =>
        [.. _events.Where(e => e.Level >= LogLevel.Error && !_expectedErrors.Contains(e.Name))];

    /// <summary>Declares that the test provokes an event of level error.</summary>
    public void ExpectError(string eventName) => _expectedErrors.Add(eventName);

    public int Count(string eventName) => _events.Count(e => e.Name == eventName);

    /// <summary>Waits for an event, which may have been logged already.</summary>
    /// <param name="eventName">The name of its <see cref="EventId"/>.</param>
    /// <param name="times">Which of the events of that name: 1 for the first.</param>
    public Task<LogEvent> WaitForAsync(string eventName, int times = 1)
    {
        var left = times;
        return WaitForAsync(eventName, _ => --left == 0);
    }

    /// <summary>Waits for the first event of this name that matches, which may have been logged already.</summary>
    public async Task<LogEvent> WaitForAsync(string eventName, Func<LogEvent, bool> matches)
    {
        TaskCompletionSource<LogEvent> found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool Matches(LogEvent e) => e.Name == eventName && matches(e);
        lock (_waiters)
        {
            if (_events.FirstOrDefault(Matches) is { } e)
            {
                return e;
            }

            _waiters.Add((Matches, found));
        }

        try
        {
            return await found.Task.WaitAsync(Timeouts.Default);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The event {eventName} was not logged within {Timeouts.Default}. The log is:\n{string.Join('\n', Events)}");
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var text = exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception}";
        LogEvent e = new(logLevel, eventId.Name, text, [.. state as IReadOnlyList<KeyValuePair<string, object?>> ?? []]);
        lock (_waiters)
        {
            _events.Enqueue(e);
            foreach (var (_, found) in _waiters.Where(waiter => waiter.Matches(e)))
            {
                found.TrySetResult(e);
            }
        }
    }

    public void Dispose()
    {
    }
}
