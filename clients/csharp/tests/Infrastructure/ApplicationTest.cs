using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>Tests an application on its own server. Fails if an error is logged that the test did not expect.</summary>
public abstract class ApplicationTest : IAsyncLifetime
{
    private RunningServer? _server;

    protected Application Application { get; init; } = new("tests");

    internal LogRecords Logs { get; } = new();

    internal Caller Caller { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await Application.StartAsync("127.0.0.1:0", OptionsOf(Logs));
        Caller = new Caller(_server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        Caller.Dispose();
        await _server!.DisposeAsync();
        Assert.Empty(Logs.Entries);
        GC.SuppressFinalize(this);
    }

    internal static ServeOptions OptionsOf(LogRecords logs) => new()
    {
        Configure = builder =>
        {
            builder.Logging.ClearProviders().AddProvider(logs);
            builder.Services.AddSingleton(new Greeter("Hello"));
        },
    };

    /// <summary>Removes and returns the next logged failure, which must exist.</summary>
    protected void AssertLogged(string message)
    {
        Assert.True(Logs.Entries.TryDequeue(out var entry), "nothing was logged");
        Assert.Equal(message, entry.Message);
    }
}
