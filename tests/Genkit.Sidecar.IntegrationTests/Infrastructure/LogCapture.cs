using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>Keeps what the sidecar logs, lets tests wait for a line, and knows which errors nobody expected.</summary>
internal sealed class LogCapture : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> _lines = new();
    private readonly List<(Func<string, bool> Matches, TaskCompletionSource<string> Found)> _waiters = [];
    private readonly ConcurrentBag<string> _expectedErrors = [];

    public IReadOnlyList<string> Lines => [.. _lines.Select(entry => $"{entry.Level}: {entry.Line}")];

    public IReadOnlyList<string> UnexpectedErrors =>
    [
        .. _lines
            .Where(entry => entry.Level >= LogLevel.Error && !_expectedErrors.Any(expected => entry.Line.Contains(expected, StringComparison.Ordinal)))
            .Select(entry => entry.Line),
    ];

    /// <summary>Declares that a line of level error with this text is what the test provokes.</summary>
    public void ExpectError(string text) => _expectedErrors.Add(text);

    public int Count(string text) => _lines.Count(entry => entry.Line.Contains(text, StringComparison.Ordinal));

    /// <summary>Waits for a line that has come already or will come.</summary>
    /// <param name="text">What the line contains.</param>
    /// <param name="times">Which of the lines with that text: 1 for the first.</param>
    public async Task<string> WaitForAsync(string text, int times = 1)
    {
        TaskCompletionSource<string> found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = times;
        bool Matches(string line) => line.Contains(text, StringComparison.Ordinal) && --left == 0;
        lock (_waiters)
        {
            if (_lines.FirstOrDefault(entry => Matches(entry.Line)) is { Line: { } line })
            {
                return line;
            }

            _waiters.Add((Matches, found));
        }

        try
        {
            return await found.Task.WaitAsync(Timeouts.Default);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"No log line with \"{text}\" came. There were:\n{string.Join('\n', Lines)}");
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception}";
        lock (_waiters)
        {
            _lines.Enqueue((logLevel, line));
            foreach (var (_, found) in _waiters.Where(waiter => waiter.Matches(line)))
            {
                found.TrySetResult(line);
            }
        }
    }

    public void Dispose()
    {
    }
}
