namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The entries that were read from a source, in order. Tests wait for entries. Thread-safe.</summary>
internal sealed class Journal<T>(string name)
{
    private readonly Lock _gate = new();
    private readonly List<T> _entries = [];
    private TaskCompletionSource _changed = NewSignal();
    private bool _completed;

    public void Append(T entry) => Change(() => _entries.Add(entry));

    public void Complete() => Change(() => _completed = true);

    public IReadOnlyList<T> Snapshot()
    {
        lock (_gate)
        {
            return [.. _entries];
        }
    }

    /// <summary>Waits for an entry and leaves it there.</summary>
    public Task<T> FirstAsync(Func<T, bool> matches, string what) => SearchAsync(matches, what, take: false);

    /// <summary>Waits for an entry and removes it, so that the next wait finds the next one.</summary>
    public Task<T> TakeAsync(Func<T, bool> matches, string what) => SearchAsync(matches, what, take: true);

    /// <summary>Reads all present and future entries until the journal is complete.</summary>
    public async IAsyncEnumerable<T> FollowAsync()
    {
        for (var next = 0; ; next++)
        {
            T entry;
            while (!TryGet(next, out entry!, out var completed, out var changed))
            {
                if (completed)
                {
                    yield break;
                }

                await changed;
            }

            yield return entry;
        }
    }

    private bool TryGet(int index, out T? entry, out bool completed, out Task changed)
    {
        lock (_gate)
        {
            (completed, changed) = (_completed, _changed.Task);
            entry = index < _entries.Count ? _entries[index] : default;
            return index < _entries.Count;
        }
    }

    private async Task<T> SearchAsync(Func<T, bool> matches, string what, bool take)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Timeouts.Default);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                var index = _entries.FindIndex(entry => matches(entry));
                if (index >= 0)
                {
                    var entry = _entries[index];
                    if (take)
                    {
                        _entries.RemoveAt(index);
                    }

                    return entry;
                }

                Assert.False(_completed, $"{name} ended without {what}:\n{this}");
                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{name} did not contain {what} within {Timeouts.Default}:\n{this}");
            }
        }
    }

    public override string ToString() => string.Join('\n', Snapshot().Select(entry => Shortened(entry?.ToString() ?? "")));

    private static string Shortened(string text) => text.Length <= 2000 ? text : $"{text[..2000]}… ({text.Length} characters)";

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            change();
            changed = _changed;
            _changed = NewSignal();
        }

        changed.SetResult();
    }
}
