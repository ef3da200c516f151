using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>Tests an application inside an ASP.NET Core application. Fails if an error is logged that the test did not expect.</summary>
public abstract class EmbeddingTest : IAsyncLifetime
{
    private readonly List<IDisposable> _channels = [];
    private WebApplication? _app;

    private protected LogRecords Logs { get; } = new();

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _channels.ForEach(channel => channel.Dispose());
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        Assert.Empty(Logs.Entries);
    }

    protected WebApplicationBuilder CreateBuilder(params string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Logging.ClearProviders().AddProvider(Logs);
        return builder;
    }

    /// <summary>Starts the application and returns the first of its own addresses.</summary>
    protected async Task<Uri> StartAsync(WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        _app = app;
        await app.StartAsync(Cancellation);
        return new Uri(app.Urls.First());
    }

    protected CallInvoker Connect(Uri address)
    {
        var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { MaxSendMessageSize = null });
        _channels.Add(channel);
        return channel.CreateCallInvoker();
    }

    private protected V1.ActionService.ActionServiceClient Actions(Uri address) => new(Connect(address));

    private protected static async Task<Outcome> RunAsync(V1.ActionService.ActionServiceClient client, string key, string? input = null, Metadata? headers = null)
    {
        using var call = client.RunAction(Caller.RequestOf(key, input), headers, cancellationToken: Cancellation);
        var outcome = new Outcome();
        await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            outcome.Take(update);
        }

        return outcome;
    }

    private protected static async Task<StatusCode> FailAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).StatusCode;
}
