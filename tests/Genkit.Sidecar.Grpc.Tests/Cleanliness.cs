using System.Collections.Concurrent;

[assembly: AssemblyFixture(typeof(Genkit.Sidecar.GrpcClient.Tests.Cleanliness))]

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>Collects the unobserved task exceptions of the test run.</summary>
public sealed class Cleanliness : IDisposable
{
    private readonly ConcurrentQueue<Exception> _unobserved = new();

    public Cleanliness() => TaskScheduler.UnobservedTaskException += OnUnobserved;

    public void AssertClean()
    {
        // An exception counts as unobserved when its task is finalised.
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.Empty(_unobserved);
    }

    public void Dispose() => TaskScheduler.UnobservedTaskException -= OnUnobserved;

    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs args) => _unobserved.Enqueue(args.Exception);
}
