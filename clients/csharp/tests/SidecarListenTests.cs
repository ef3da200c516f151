using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Client.Tests.Infrastructure;
using Genkit.Sidecar.Client.Tests.Shop;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>An ASP.NET Core application with GENKIT_SIDECAR_LISTEN set. No other test reads the variable.</summary>
[Collection(nameof(SidecarListenTests))]
[CollectionDefinition(nameof(SidecarListenTests), DisableParallelization = true)]
public sealed class SidecarListenTests : EmbeddingTest
{
    private const string Variable = "GENKIT_SIDECAR_LISTEN";

    private static readonly Dictionary<string, Action<WebApplicationBuilder>> s_own = new()
    {
        ["urls"] = builder => builder.WebHost.UseUrls("http://127.0.0.1:0"),
        ["configuration"] = builder => builder.Configuration.AddInMemoryCollection([new("Kestrel:Endpoints:Web:Url", "http://127.0.0.1:0")]),
        ["code"] = builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0)),
        ["app"] = _ => { },
    };

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly Application _application = new("told");

    public SidecarListenTests() => _application.Flow("port", (ActionRunContext context) => context.HttpContext.Connection.LocalPort);

    public static TheoryData<string> Own => [.. s_own.Keys];

    [Theory]
    [MemberData(nameof(Own))]
    public async Task Application_ListensThereToo_AndOnItsOwnAddresses(string own)
    {
        var told = Tell(FreeAddress());
        var builder = CreateBuilder();
        s_own[own](builder);
        builder.Services.AddGenkit(_application);
        var app = builder.Build();
        app.MapGet("/", () => "mine");
        app.MapGenkit();
        if (own == "app")
        {
            app.Urls.Add("http://127.0.0.1:0");
        }

        var address = await StartAsync(app);

        Assert.Single(app.Urls);
        Assert.NotEqual(told.Port, address.Port);
        Assert.Equal($"{told.Port}", (await RunAsync(Actions(told), "/flow/port")).Result);
        using var client = new HttpClient();
        Assert.Equal("mine", await client.GetStringAsync(address, Cancellation));
    }

    [Fact]
    public async Task OwnService_IsServedOnItsOwnPort_AndWhereTheSidecarListens()
    {
        var told = Tell(FreeAddress());
        var builder = CreateBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.AddGenkit(_application);
        var app = builder.Build();
        app.MapGrpcService<OrdersService>();
        app.MapGenkit();

        var address = await StartAsync(app);

        foreach (var either in (Uri[])[address, told])
        {
            Assert.Equal(3, (await new Orders.OrdersClient(Connect(either)).CountAsync(new CountRequest(), cancellationToken: Cancellation)).Count);
            Assert.Equal(either.Port.ToString(CultureInfo.InvariantCulture), (await RunAsync(Actions(either), "/flow/port")).Result);
        }
    }

    [Fact]
    public async Task UnixSocket_IsItsOwnersAlone_AndAStaleOneIsReplaced()
    {
        var path = Path.Combine(_folder, "app.sock");
        using (var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            stale.Bind(new UnixDomainSocketEndPoint(path));
        }

        Environment.SetEnvironmentVariable(Variable, $"unix:{path}");
        await StartAsync(CreateApplication());
        using var caller = new Caller($"unix:{path}");

        Assert.Equal("0", (await caller.RunAsync("/flow/port")).Result);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public async Task Stop_CancelsRunsAfterTheHostsTimeout_AndFreesTheAddress()
    {
        var told = Tell(FreeAddress());
        var cancelled = new TaskCompletionSource();
        _application.Flow("wait", async (ActionRunContext context) =>
        {
            using var noted = context.CancellationToken.Register(cancelled.SetResult);
            await context.SendChunkAsync("waiting");
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        });
        var app = CreateApplication(builder => builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(100)));
        await StartAsync(app);
        using var caller = new Caller(told.Authority);
        await using var call = await caller.StartAsync("/flow/wait");
        await Caller.ReadChunkAsync(call);

        await app.StopAsync(Cancellation);

        await cancelled.Task.WaitAsync(Cancellation);
        using var listener = new TcpListener(IPAddress.Loopback, told.Port);
        listener.Start();
    }

    [Fact]
    public async Task Address_ThatIsTaken_IsNamed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Environment.SetEnvironmentVariable(Variable, $"{listener.LocalEndpoint}");

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(CreateApplication()));

        Assert.Contains($"cannot listen on {listener.LocalEndpoint}", exception.Message, StringComparison.Ordinal);
        Assert.Contains(Variable, exception.Message, StringComparison.Ordinal);
        Logs.Entries.Clear(); // logged by the host
    }

    [Theory]
    [InlineData("50051")]
    [InlineData("http://127.0.0.1:1")]
    public void Address_ThatIsNone_IsNamed(string address)
    {
        Environment.SetEnvironmentVariable(Variable, address);

        var exception = Assert.Throws<ArgumentException>(() => CreateBuilder().Services.AddGenkit(_application));

        Assert.Contains($"'{address}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains(Variable, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Server_ThatIsChosenAfterwards_IsRefused()
    {
        Tell(FreeAddress());
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddGenkit(_application);
        builder.WebHost.UseKestrelCore();
        using var app = builder.Build();

        Assert.Contains(Variable, Assert.Throws<InvalidOperationException>(() => app.MapGenkit()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_ThatIsNotKestrel_IsLeftAsItIs()
    {
        var told = Tell(FreeAddress());
        using var own = new SilentServer();
        var app = CreateApplication(builder => builder.Services.AddSingleton<IServer>(own));

        await StartAsync(app);

        Assert.True(own.IsStarted);
        Assert.Equal($"{told.Port}", (await RunAsync(Actions(told), "/flow/port")).Result);
    }

    public override async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"{listener.LocalEndpoint}";
    }

    private static Uri Tell(string address)
    {
        Environment.SetEnvironmentVariable(Variable, address);
        return new Uri($"http://{address}");
    }

    private WebApplication CreateApplication(Action<WebApplicationBuilder>? configure = null)
    {
        var builder = CreateBuilder("--urls", "http://127.0.0.1:0");
        configure?.Invoke(builder);
        builder.Services.AddGenkit(_application);
        var app = builder.Build();
        app.MapGenkit();
        return app;
    }

    private sealed class SilentServer : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public bool IsStarted { get; private set; }

        public SilentServer() => Features.Set<IServerAddressesFeature>(new ServerAddressesFeature());

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull
        {
            IsStarted = true;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
