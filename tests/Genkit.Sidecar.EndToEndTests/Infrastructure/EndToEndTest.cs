namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>A test with its own workspace, whose transcript is the test's output.</summary>
public abstract class EndToEndTest : IAsyncLifetime
{
    private protected Workspace Workspace { get; } = new();

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        TestContext.Current.TestOutputHelper?.WriteLine(Workspace.Transcript);
        try
        {
            Workspace.SidecarLog.AssertHasNoErrors();
        }
        finally
        {
            await Workspace.DisposeAsync();
        }
    }
}
