using System.Collections.Concurrent;

[assembly: AssemblyFixture(typeof(Genkit.Sidecar.Grpc.Tests.Cleanliness))]

namespace Genkit.Sidecar.Grpc.Tests;

/// <summary>Fails the run if any test left a buffer behind or an exception unobserved.</summary>
public sealed class Cleanliness : IDisposable
{
    private readonly ConcurrentQueue<Exception> _unobserved = new();

    public Cleanliness() => TaskScheduler.UnobservedTaskException += OnUnobserved;

    public void Dispose()
    {
        // An exception counts as unobserved when its task is finalised.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TaskScheduler.UnobservedTaskException -= OnUnobserved;

        Assert.Empty(_unobserved);
        Assert.Empty(WatchedPool.Instance.Faults);
    }

    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs args) => _unobserved.Enqueue(args.Exception);
}
