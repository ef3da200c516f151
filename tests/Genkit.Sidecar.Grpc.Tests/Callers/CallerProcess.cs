using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using Genkit.Sidecar.Grpc.Tests.Peers;

namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>A process that makes calls when told to. It ends when its standard input closes, so a test run that dies leaves none behind.</summary>
internal sealed class CallerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private readonly SemaphoreSlim _input = new(1);
    private readonly ConcurrentDictionary<int, Channel<CallEvent>> _calls = new();
    private int _lastId;

    public CallerProcess(CallerKind kind)
    {
        var sources = Path.Combine(AppContext.BaseDirectory, "Callers");
        var start = kind == CallerKind.Node
            ? new ProcessStartInfo(Tools.Node, [Path.Combine(sources, "wire_client.js")]) { Environment = { ["NODE_PATH"] = Tools.NodeModules } }
            : new ProcessStartInfo(Tools.Python, [Path.Combine(sources, "wire_client.py")]);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync(CancellationToken.None);
        _reading = ReadAsync();
    }

    public async Task<ICall> StartAsync(string address, string method, CallPlan plan)
    {
        var call = new Call(this, Interlocked.Increment(ref _lastId));
        await SendAsync(new
        {
            op = "start",
            id = call.Id,
            target = Target(address),
            method,
            kind = plan.Kind,
            metadata = plan.Metadata.Select(entry => new[] { entry.Name, entry.Value }),
            deadline = plan.Deadline?.TotalMilliseconds,
            gzip = plan.Gzip,
            paused = plan.Paused,
        });
        return call;
    }

    /// <summary>Makes unary calls with messages of 0, 1, 2… bytes, all at once, that expect them back.</summary>
    public async Task<CallEvent> BurstAsync(string address, string method, int count)
    {
        var call = new Call(this, Interlocked.Increment(ref _lastId));
        await SendAsync(new { op = "burst", id = call.Id, target = Target(address), method, count });
        return await call.NextAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Timeouts.Default);
        await _reading;
        _process.Dispose();
        _input.Dispose();
    }

    private static string Target(string address) => address.Replace("http://", "", StringComparison.Ordinal);

    private async Task SendAsync(object command)
    {
        await _input.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command));
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            throw new InvalidOperationException($"the caller has died: {await _errors}");
        }
        finally
        {
            _input.Release();
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var what = JsonSerializer.Deserialize<CallEvent>(line, JsonSerializerOptions.Web)!;
            Events(what.Id).Writer.TryWrite(what);
        }
    }

    private Channel<CallEvent> Events(int id) => _calls.GetOrAdd(id, static _ => Channel.CreateUnbounded<CallEvent>());

    private sealed class Call(CallerProcess caller, int id) : ICall
    {
        public int Id => id;

        public Task SendAsync(int size) => caller.SendAsync(new { op = "send", id, size });

        public Task EndAsync() => caller.SendAsync(new { op = "end", id });

        public Task CancelAsync() => caller.SendAsync(new { op = "cancel", id });

        public Task ResumeAsync() => caller.SendAsync(new { op = "resume", id });

        public Task<CallEvent> NextAsync() =>
            caller.Events(id).Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Timeouts.Default);
    }
}
