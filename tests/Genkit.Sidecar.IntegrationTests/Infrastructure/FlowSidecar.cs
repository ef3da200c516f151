using System.Net;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.Endpoints.FlowServer;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>A sidecar that serves the flows of an application over HTTP and has no other endpoint, with a client.</summary>
internal sealed class FlowSidecar : IAsyncDisposable
{
    private FlowSidecar(FakeApplication application, SidecarFixture sidecar)
    {
        Application = application;
        Sidecar = sidecar;
        EndPoint = (IPEndPoint)sidecar.Services.GetRequiredService<FlowListener>().EndPoint!;
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://{EndPoint}"), Timeout = Timeouts.Default };
    }

    public FakeApplication Application { get; }

    public SidecarFixture Sidecar { get; }

    public LogCapture Log => Sidecar.Log;

    public IPEndPoint EndPoint { get; }

    public HttpClient Http { get; }

    public static async Task<FlowSidecar> StartAsync(params string[] flags)
    {
        var application = await FakeApplication.StartAsync();
        string[] address = flags.Contains("--flow-server") ? [] : ["--flow-server", "127.0.0.1:0"];
        return new(application, await SidecarFixture.StartWithoutManagerAsync(application.Address, [.. address, .. flags]));
    }

    /// <summary>Adds a flow that returns this JSON, or nothing.</summary>
    public FlowSidecar WithResult(string name, string? json)
    {
        Application.Actions[$"/flow/{name}"] = (call, _) => call.ResultAsync(json);
        return this;
    }

    public static HttpRequestMessage Request(string path, string body = "{}", params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return request;
    }

    /// <summary>Calls a flow.</summary>
    public async Task<FlowReply> PostAsync(string path, string body = "{}", params (string Name, string Value)[] headers)
    {
        using var request = Request(path, body, headers);
        return await SendAsync(request);
    }

    public async Task<FlowReply> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request);
        return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }

    /// <summary>Calls a flow for its events and returns when the headers have arrived. The rest is read from the stream.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, string body = "{}")
    {
        using var request = Request(path, body, ("Accept", "text/event-stream"));
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Opens a TCP connection for a test that writes the HTTP request itself.</summary>
    public async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(EndPoint);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Sends bytes and reads until the server closes the connection. The server may reset the connection if it has not read everything.</summary>
    public async Task<string> ExchangeAsync(string sent)
    {
        await using var stream = await ConnectAsync();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(sent));
        using var received = new MemoryStream();
        try
        {
            await stream.CopyToAsync(received).InTimeAsync();
        }
        catch (IOException) when (received.Length > 0)
        {
            // The bytes before the reset are the response.
        }

        return Encoding.UTF8.GetString(received.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        try
        {
            await Sidecar.DisposeAsync();
        }
        finally
        {
            await Application.DisposeAsync();
        }
    }
}
