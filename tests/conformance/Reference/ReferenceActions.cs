using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>The actions of the catalogue by key. Each returns its result, or null for none, and throws <see cref="ActionFailure"/> on failure.</summary>
internal sealed class ReferenceActions
{
    private static readonly JsonSerializerOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string s_padding = new('x', 1024);

    private readonly Rule? _broken;
    private readonly CancelledRuns _cancelled = new();
    private readonly Meetings _meetings = new();
    private readonly ConcurrentDictionary<string, Func<ReferenceRun, Task<byte[]?>>> _actions;
    private Dictionary<string, string>? _sharedMetadata;
    private byte[]? _lastInput;
    private int _runs;

    public ReferenceActions(Rule? broken)
    {
        _broken = broken;
        _actions = new(broken == Rule.KeysIgnoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal)
        {
            ["/flow/echo"] = run => Task.FromResult(Echo(run)),
            ["/flow/echo-init"] = run => Task.FromResult(Carried(run.Init)),
            ["/flow/echo-context"] = run => Task.FromResult(Carried(run.Context)),
            ["/flow/echo-chunk"] = EchoChunkAsync,
            ["/flow/greet"] = run => Task.FromResult<byte[]?>(Greet(run)),
            ["/flow/inspect"] = run => Task.FromResult<byte[]?>(Inspect(run)),
            ["/flow/count"] = CountAsync,
            ["/flow/nothing"] = _ => Task.FromResult(Carried(null)),
            ["/flow/null"] = _ => Task.FromResult(Carried("null"u8.ToArray())),
            ["/flow/folder/deep/ünïcode name"] = _ => Task.FromResult<byte[]?>(Json("found")),
            ["/model/conformance/model"] = _ => Task.FromResult<byte[]?>("""{"message":{"role":"model","content":[{"text":"ok"}]},"finishReason":"stop"}"""u8.ToArray()),
            ["/flow/fail"] = run => FailAsync(run, isStatus: false),
            ["/flow/fail-status"] = run => FailAsync(run, isStatus: true),
            ["/flow/fail-error"] = run => FailAsync(run, isStatus: false),
            ["/flow/throw"] = _ => Throw(),
            ["/flow/wait"] = WaitAsync,
            ["/flow/endless"] = EndlessAsync,
            ["/flow/await-cancelled"] = AwaitCancelledAsync,
            ["/flow/meet"] = MeetAsync,
            ["/flow/state"] = StateAsync,
            ["/flow/echo-chunks"] = EchoChunksAsync,
            ["/flow/collect"] = CollectAsync,
            ["/flow/first"] = FirstAsync,
            ["/flow/wait-for-input"] = WaitForInputAsync,
            ["/flow/fail-on-input"] = FailOnInputAsync,
            ["/flow/hidden"] = _ => Task.FromResult<byte[]?>(Json("found")),
            ["/flow/add-action"] = AddActionAsync,
            ["/flow/remove-action"] = RemoveActionAsync,
            ["/kit/list"] = run => Task.FromResult<byte[]?>(List(run)),
        };
    }

    /// <summary>The keys of actions that were added.</summary>
    public ConcurrentDictionary<string, string> Added { get; } = new(StringComparer.Ordinal);

    /// <summary>Additional listed actions, valid or invalid, for cases of the sidecar. They cannot be run.</summary>
    public IReadOnlyList<V1.Action> Listed { get; private set; } = [];

    /// <summary>Runs the action.</summary>
    /// <exception cref="ActionFailure">The action failed or does not exist.</exception>
    public Task<byte[]?> RunAsync(ReferenceRun run)
    {
        var key = _broken == Rule.KeysAreAscii ? Encoding.ASCII.GetString(Encoding.ASCII.GetBytes(run.Key)) : run.Key;
        var isUnknown = !_actions.TryGetValue(key, out var action) || (_broken == Rule.RunsListedAlone && key == "/flow/hidden");
        if (isUnknown && _broken == Rule.UnknownKeySucceeds)
        {
            return Task.FromResult<byte[]?>("null"u8.ToArray());
        }

        if (isUnknown)
        {
            throw new ActionFailure(_broken == Rule.UnknownKeyIsUnknown ? 2 : 5, _broken == Rule.UnknownKeyIsNotNamed ? "no such action" : $"there is no action {run.Key}");
        }

        var isForBidi = key is "/flow/echo-chunks" or "/flow/collect" or "/flow/first";
        if ((_broken == Rule.BidiOfPlainIsRefused && run.IsBidi && !isForBidi) || (_broken == Rule.PlainOfBidiIsRefused && !run.IsBidi && isForBidi))
        {
            throw new ActionFailure(9, "that is the other method's action");
        }

        return action!(run);
    }

    private static byte[] Json(object value) => JsonSerializer.SerializeToUtf8Bytes(value, s_options);

    private static byte[] Chunk(int index, string padding) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"index":{{index}},"padding":"{{padding}}"}"""));

    private static string IdOf(ReferenceRun run) => run.InputObject().GetProperty("id").GetString()!;

    private static int NumberOf(JsonElement value, string name) => value.TryGetProperty(name, out var number) ? number.GetInt32() : 0;

    private byte[]? Echo(ReferenceRun run)
    {
        if (_broken == Rule.PlacesRunOut && Interlocked.Increment(ref _runs) > 100)
        {
            throw new ActionFailure(8, "there is no more place");
        }

        var last = Interlocked.Exchange(ref _lastInput, run.Input);
        return Carried(_broken == Rule.AnswersAreMixedUp ? last : run.Input);
    }

    private byte[]? Carried(byte[]? payload) => Distortion.Of(payload, _broken);

    private async Task<byte[]?> EchoChunkAsync(ReferenceRun run)
    {
        await run.SendAsync(Carried(run.Input) ?? "null"u8.ToArray());
        return null;
    }

    private byte[] Greet(ReferenceRun run)
    {
        JsonElement name = default;
        ActionFailure? failure = null;
        try
        {
            var input = run.InputObject();
            if (!input.TryGetProperty("name", out name) || name.ValueKind != JsonValueKind.String)
            {
                failure = new ActionFailure(3, "name must be a string");
            }
            else if (_broken == Rule.RefusesUnknownMembers && input.EnumerateObject().Count() > 1)
            {
                failure = new ActionFailure(3, "name is the only member");
            }
        }
        catch (ActionFailure notAnObject)
        {
            failure = notAnObject;
        }

        return failure switch
        {
            null => Json(new { greeting = $"Hello, {name.GetString()}!" }),
            _ when _broken == Rule.TakesAnyInput => Json(new { greeting = "Hello, undefined!" }),
            _ when _broken == Rule.BadInputIsInternal => throw new ActionFailure(13, failure.Message),
            _ when _broken == Rule.BadInputIsNotNamed => throw new ActionFailure(3, "bad input"),
            _ => throw failure,
        };
    }

    private byte[] Inspect(ReferenceRun run)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("key", run.Key);
            json.WriteBoolean("stream", run.IsStreamed != (_broken == Rule.StreamFlagIsTheOther));
            json.WriteStartObject("telemetryLabels");
            foreach (var (name, value) in run.Labels)
            {
                if (_broken != Rule.LosesLabels && (_broken != Rule.LosesEmptyLabels || value.Length > 0))
                {
                    json.WriteString(name, value);
                }
            }

            json.WriteEndObject();
            foreach (var (name, payload) in new[] { ("input", Carried(run.Input)), ("init", Carried(run.Init)), ("context", Carried(run.Context)) })
            {
                if (payload is not null)
                {
                    json.WritePropertyName(name);
                    json.WriteRawValue(payload);
                }
            }

            var metadata = Metadata(run);
            json.WriteStartObject("metadata");
            foreach (var (name, value) in metadata)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private Dictionary<string, string> Metadata(ReferenceRun run)
    {
        var metadata = new Dictionary<string, string>();
        foreach (var name in new[] { "traceparent", "tracestate", "baggage", "x-conformance" })
        {
            if (_broken != Rule.LosesMetadata && run.Metadata.GetValue(name) is { } value)
            {
                metadata[name] = value;
            }
        }

        if (_broken == Rule.MetadataIsShared)
        {
            return _sharedMetadata ??= metadata;
        }

        return metadata;
    }

    private async Task<byte[]?> CountAsync(ReferenceRun run)
    {
        var input = run.InputObject();
        var to = NumberOf(input, "to");
        var padding = new string('x', NumberOf(input, "bytes"));
        for (var i = 0; i < to; i++)
        {
            await run.SendAsync(Chunk(i, padding));
        }

        return Json(new { sent = _broken == Rule.CountsWrong ? to + 1 : to });
    }

    private static async Task<byte[]?> FailAsync(ReferenceRun run, bool isStatus)
    {
        var input = run.InputObject();
        for (var i = 0; i < NumberOf(input, "chunks"); i++)
        {
            await run.SendAsync(Json(new { index = i }));
        }

        throw new ActionFailure(NumberOf(input, "code"), input.GetProperty("message").GetString()!)
        {
            Details = input.TryGetProperty("details", out var details) ? Encoding.UTF8.GetBytes(details.GetRawText()) : null,
            Stack = input.TryGetProperty("stack", out var stack) ? stack.GetString()! : "",
            IsStatus = isStatus,
        };
    }

    private Task<byte[]?> Throw() =>
        _broken == Rule.ExceptionsSucceed ? Task.FromResult<byte[]?>("null"u8.ToArray()) : throw new InvalidOperationException("thrown as asked");

    private async Task<byte[]?> WaitAsync(ReferenceRun run)
    {
        var id = IdOf(run);
        await run.SendAsync(Json(new { waiting = id }));
        return await UntilCancelledAsync(run, id);
    }

    private async Task<byte[]?> UntilCancelledAsync(ReferenceRun run, string id)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, run.Cancelled);
        }
        finally
        {
            _cancelled.Add(id);
        }

        return null;
    }

    private async Task<byte[]?> EndlessAsync(ReferenceRun run)
    {
        var id = IdOf(run);
        try
        {
            for (var i = 0; ; i++)
            {
                await run.SendAsync(Chunk(i, s_padding));
            }
        }
        finally
        {
            if (_broken is not (Rule.IgnoresCancelOfStreams or Rule.IgnoresCancel))
            {
                _cancelled.Add(id);
            }
        }
    }

    private async Task<byte[]?> AwaitCancelledAsync(ReferenceRun run)
    {
        var id = IdOf(run);
        await _cancelled.WaitAsync(id, run.Cancelled);
        return Json(new { cancelled = id });
    }

    private async Task<byte[]?> MeetAsync(ReferenceRun run)
    {
        var parties = NumberOf(run.InputObject(), "parties");
        await _meetings.MeetAsync(IdOf(run), parties, run.Cancelled);
        return Json(new { met = parties });
    }

    private static async Task<byte[]?> StateAsync(ReferenceRun run)
    {
        await run.StateAsync("0af7651916cd43dd8448eb211c80319c");
        await run.SendAsync(Json("after state"));
        return Json("done");
    }

    private async Task<byte[]?> EchoChunksAsync(ReferenceRun run)
    {
        if (run.Init is { } init)
        {
            await run.SendAsync(init);
        }

        var all = new List<byte[]>();
        while (await run.ReadInputAsync() is { } chunk)
        {
            all.Add(chunk);
            if (_broken != Rule.EchoesAtTheEnd)
            {
                await run.SendAsync(Carried(chunk) ?? "null"u8.ToArray());
            }
        }

        if (_broken == Rule.EchoesAtTheEnd)
        {
            foreach (var chunk in all)
            {
                await run.SendAsync(chunk);
            }
        }

        return Json(new { chunks = _broken == Rule.CountsWrong ? all.Count + 1 : all.Count });
    }

    private async Task<byte[]?> CollectAsync(ReferenceRun run)
    {
        var (chunks, bytes) = (0, 0L);
        while (await run.ReadInputAsync() is { } chunk)
        {
            chunks++;
            bytes += chunk.Length;
        }

        return Json(new { chunks = _broken == Rule.CountsWrong ? chunks + 1 : chunks, bytes });
    }

    private async Task<byte[]?> FirstAsync(ReferenceRun run)
    {
        var first = await run.ReadInputAsync() ?? throw new ActionFailure(9, "the input ended without a chunk");
        while (_broken == Rule.FirstWaitsForTheEnd && await run.ReadInputAsync() is not null)
        {
        }

        return Carried(first);
    }

    private async Task<byte[]?> WaitForInputAsync(ReferenceRun run)
    {
        var id = IdOf(run);
        try
        {
            await run.SendAsync(Json(new { waiting = id }));
            var taken = 0;
            while (await run.ReadInputAsync() is not null)
            {
                taken++;
                await run.SendAsync(Json(new { taken = _broken == Rule.CountsWrong ? 0 : taken }));
            }
        }
        catch (OperationCanceledException) when (_broken is not (Rule.IgnoresCancel or Rule.IgnoresCancelOfBidi))
        {
            _cancelled.Add(id);
            throw;
        }

        return await UntilCancelledAsync(run, id);
    }

    private static async Task<byte[]?> FailOnInputAsync(ReferenceRun run)
    {
        var chunk = ReferenceRun.ObjectOf(await run.ReadInputAsync());
        throw new ActionFailure(NumberOf(chunk, "code"), chunk.GetProperty("message").GetString()!);
    }

    /// <summary>Replaces <see cref="Listed"/> by the objects of the input: key, name and metadata, a text that may be invalid JSON; times, which appends an index to the key.</summary>
    private byte[] List(ReferenceRun run)
    {
        var listed = new List<V1.Action>();
        foreach (var entry in run.InputObject().GetProperty("actions").EnumerateArray())
        {
            for (var i = 0; i < Math.Max(1, NumberOf(entry, "times")); i++)
            {
                var key = entry.GetProperty("key").GetString()!;
                var action = new V1.Action { Key = entry.TryGetProperty("times", out _) ? string.Create(CultureInfo.InvariantCulture, $"{key}{i}") : key, Name = entry.GetProperty("name").GetString()! };
                if (entry.TryGetProperty("metadata", out var metadata))
                {
                    action.MetadataJson = ByteString.CopyFromUtf8(metadata.GetString()!);
                }

                listed.Add(action);
            }
        }

        Listed = listed;
        return "null"u8.ToArray();
    }

    private Task<byte[]?> AddActionAsync(ReferenceRun run)
    {
        var name = run.InputObject().GetProperty("name").GetString()!;
        _actions[$"/flow/{name}"] = added => Task.FromResult(Carried(added.Input));
        Added[$"/flow/{name}"] = name;
        return Task.FromResult<byte[]?>("null"u8.ToArray());
    }

    private Task<byte[]?> RemoveActionAsync(ReferenceRun run)
    {
        var key = $"/flow/{run.InputObject().GetProperty("name").GetString()}";
        _actions.TryRemove(key, out _);
        Added.TryRemove(key, out _);
        return Task.FromResult<byte[]?>("null"u8.ToArray());
    }
}
