using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.Endpoints.ReflectionV1;
using Genkit.Sidecar.Health;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>A sidecar that serves Reflection API v1 on a free port, with an application, a project of its own, and a caller.</summary>
internal sealed class V1Sidecar : IAsyncDisposable
{
    private readonly HttpClient _http;

    private V1Sidecar(FakeApplication application, SidecarFixture sidecar, string projectRoot)
    {
        Application = application;
        Sidecar = sidecar;
        ProjectRoot = projectRoot;
        Address = sidecar.Services.GetRequiredService<ReflectionV1Status>().Address!;
        _http = new HttpClient { BaseAddress = Address, Timeout = Timeouts.Default };
    }

    public FakeApplication Application { get; }

    public SidecarFixture Sidecar { get; }

    public LogCapture Log => Sidecar.Log;

    public Uri Address { get; }

    public string ProjectRoot { get; }

    public IReadOnlyList<string> RuntimeFiles =>
        Directory.Exists(Path.Combine(ProjectRoot, ".genkit", "runtimes")) ? Directory.GetFiles(Path.Combine(ProjectRoot, ".genkit", "runtimes")) : [];

    /// <summary>Starts it with an application that lists <c>/flow/x</c>.</summary>
    public static async Task<V1Sidecar> StartAsync(params string[] flags)
    {
        var application = await FakeApplication.StartAsync();
        application.List("/flow/x");
        return await StartAsync(application, flags);
    }

    /// <summary>Starts it as the Genkit CLI does, on the first free port of Genkit's own.</summary>
    public static async Task<V1Sidecar> StartInDevelopmentAsync() => await StartAsync(await FakeApplication.StartAsync(), "--genkit-env", "dev");

    public static async Task<V1Sidecar> StartAsync(FakeApplication application, params string[] flags)
    {
        var root = Directory.CreateTempSubdirectory("genkit-sidecar-v1-").FullName;
        string[] address = flags.Contains("--reflection-v1") || flags.Contains("--genkit-env") ? [] : ["--reflection-v1", "127.0.0.1:0"];
        string[] project = flags.Contains("--project-root") ? [] : ["--project-root", root];
        return new V1Sidecar(application, await SidecarFixture.StartWithoutManagerAsync(application.Address, [.. flags, .. address, .. project]), root);
    }

    public async Task<(int Status, string Text)> GetAsync(string path)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path));
        return ((int)response.StatusCode, await TextAsync(response));
    }

    public async Task<(int Status, string Text)> PostAsync(string path, string json)
    {
        using var response = await SendAsync(path, json);
        return ((int)response.StatusCode, await TextAsync(response));
    }

    /// <summary>Posts JSON and returns the response when its headers have arrived.</summary>
    public Task<HttpResponseMessage> SendAsync(string path, string json, string mediaType = "application/json", Action<HttpRequestMessage>? configure = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json)) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        configure?.Invoke(request);
        return SendAsync(request);
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).InTimeAsync();

    public static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync().InTimeAsync();

    /// <summary>Opens a TCP connection and sends this text.</summary>
    public async Task<Socket> SayAsync(string text)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Address.Host, Address.Port);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text));
        return socket;
    }

    /// <summary>Waits until the sidecar has closed or reset a connection.</summary>
    public static async Task ClosedAsync(Socket socket)
    {
        try
        {
            while (await socket.ReceiveAsync(new byte[1024]).InTimeAsync() > 0)
            {
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            // The sidecar reset the connection because it had not read everything.
        }
    }

    /// <summary>The text of a POST request.</summary>
    public string Post(string path, string json) =>
        $"POST {path} HTTP/1.1\r\nHost: {Address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(json)}\r\n\r\n{json}";

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        try
        {
            await Sidecar.DisposeAsync();
        }
        finally
        {
            await Application.DisposeAsync();
            Directory.Delete(ProjectRoot, recursive: true);
        }
    }
}
