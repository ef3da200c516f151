namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>A test with a workspace of its own, whose transcript is the output of the test.</summary>
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
