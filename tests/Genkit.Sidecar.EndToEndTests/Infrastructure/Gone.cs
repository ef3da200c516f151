using System.Diagnostics;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>Waits for processes that the tests did not start themselves to end.</summary>
internal static class Gone
{
    public static async Task WaitAsync(IEnumerable<int> processIds)
    {
        foreach (var id in processIds)
        {
            await WaitAsync(id);
        }
    }

    private static async Task WaitAsync(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Timeouts.Default);
        }
        catch (ArgumentException)
        {
            // The process exited before it was looked up.
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Process {id} still runs after {Timeouts.Default}.");
        }
    }
}
