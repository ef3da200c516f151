using System.Buffers;
using System.Globalization;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// Writes the <c>TraceData</c> of one root span from front to back, with the names and attributes of Genkit's JavaScript runtime, which the
/// Dev UI and <c>eval:*</c> read. Members that have no value are left out: the telemetry server takes null for none of them.
/// </summary>
internal sealed class RootSpanWriter
{
    /// <summary>Of texts that have no limit of their own. A name or message of that length is no longer read by anybody.</summary>
    private const int MaxTextLength = 16 * 1024;

    /// <summary>Kept free for what follows the payloads: message, stack and the members around them, of which a character may take 6 bytes.</summary>
    private const int TailBytes = 512 * 1024;

    // Those of the runtime win over labels of the same name.
    private static readonly HashSet<string> s_own =
    [
        "genkit:type", "genkit:metadata:subtype", "genkit:key", "genkit:name", "genkit:isRoot", "genkit:path", "genkit:metadata:context",
        "genkit:input", "genkit:init", "genkit:output", "genkit:state", "genkit:isFailureSource",
    ];

    private readonly RootSpanStart _run;
    private readonly string _startTime;
    private readonly string _subtype;
    private readonly string _name;
    private readonly long _maxBytes;

    /// <param name="run">Of which only ids, key and labels are read.</param>
    /// <param name="startedAt">When it started.</param>
    /// <param name="maxBytes">Bound of the body; a payload that would exceed it is replaced by a note.</param>
    public RootSpanWriter(in RootSpanStart run, DateTimeOffset startedAt, long maxBytes)
    {
        _run = run with { Input = null, Init = null, Context = null };
        _startTime = Milliseconds(startedAt);
        _maxBytes = maxBytes - TailBytes;
        (_subtype, _name) = Split(Cut(run.Key));
    }

    public SpanBody Body { get; } = new();

    /// <summary>Writes what is known when the run starts.</summary>
    public void WriteStart()
    {
        Raw("{\"traceId\":\""u8);
        Plain(_run.Trace.TraceId);
        Raw("\",\"spans\":{\""u8);
        Plain(_run.Trace.SpanId);
        Raw("\":{\"spanId\":\""u8);
        Plain(_run.Trace.SpanId);
        Raw("\",\"traceId\":\""u8);
        Plain(_run.Trace.TraceId);
        Raw("\",\"startTime\":"u8);
        Plain(_startTime);
        Raw(",\"attributes\":{\"genkit:type\":\"action\""u8);
        if (_subtype.Length > 0)
        {
            Raw(",\"genkit:metadata:subtype\":"u8);
            Text(_subtype);
        }

        Raw(",\"genkit:key\":"u8);
        Text(Cut(_run.Key));
        foreach (var (name, value) in _run.Labels)
        {
            if (!s_own.Contains(name) && Body.Length + (6L * (name.Length + value.Length)) < _maxBytes)
            {
                Raw(","u8);
                Text(name);
                Raw(":"u8);
                Text(value);
            }
        }
    }

    /// <summary>Writes the attributes that a span has once it has ended, but for its payloads and its outcome.</summary>
    public void WriteNames()
    {
        Raw(",\"genkit:name\":"u8);
        Text(_name);
        Raw(",\"genkit:isRoot\":true,\"genkit:path\":"u8);
        Text($"/{{{_name},t:{(_subtype == "flow" ? "flow" : "action")}}}");
    }

    /// <summary>Writes a payload as the JSON text that it is, or a note of its size where it is too large.</summary>
    /// <param name="attribute">QuotedText name.</param>
    /// <param name="json">One valid JSON value.</param>
    /// <param name="tryTake">Asked whether so many bytes may be kept until the span has been posted.</param>
    public void WritePayload(ReadOnlySpan<byte> attribute, in ReadOnlySequence<byte> json, Func<long, bool> tryTake)
    {
        var left = _maxBytes - Body.Length;
        if (json.Length > left || JsonString.Length(json) is var length && length > left)
        {
            WriteLeftOut(attribute, json.Length);
        }
        else if (!tryTake(length))
        {
            Note(attribute, json.Length, "--telemetry-max-queue-bytes");
        }
        else
        {
            Name(attribute);
            JsonString.Write(Body, json);
        }
    }

    /// <summary>Writes a note of a payload that is too large.</summary>
    public void WriteLeftOut(ReadOnlySpan<byte> attribute, long bytes) => Note(attribute, bytes, "--telemetry-max-span-bytes");

    /// <summary>Writes the end of a span that is still running.</summary>
    public void WriteRunning() => WriteTail("0", "0", null);

    /// <summary>Writes the end of a span that has ended.</summary>
    public void WriteEnd(DateTimeOffset endedAt, SpanFailure? failure)
    {
        Raw(failure is null ? ",\"genkit:state\":\"success\""u8 : ",\"genkit:state\":\"error\",\"genkit:isFailureSource\":true"u8);
        var endTime = Milliseconds(endedAt);
        WriteTail(endTime, endTime, failure);
    }

    private static string Milliseconds(DateTimeOffset time) =>
        ((time - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerMillisecond).ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>Type and name in a key such as <c>/flow/summarize</c>; a key of another form is all name.</summary>
    private static (string Subtype, string Name) Split(string key) =>
        key.StartsWith('/') && key.IndexOf('/', 1) is > 1 and var end && end < key.Length - 1
            ? (key[1..end], key[(end + 1)..])
            : ("", key);

    private static string Cut(string text) => text.Length <= MaxTextLength ? text : string.Concat(text.AsSpan(0, MaxTextLength), "…");

    private void WriteTail(string endTime, string failedAt, SpanFailure? failure)
    {
        Raw("},\"displayName\":"u8);
        Text(_name);
        Raw(",\"links\":[],\"spanKind\":\"INTERNAL\",\"sameProcessAsParentSpan\":{\"value\":true},\"status\":{\"code\":"u8);
        if (failure is { } failed)
        {
            Raw("2,\"message\":"u8);
            Text(Cut(failed.Message));
            Raw("},\"timeEvents\":{\"timeEvent\":["u8);
            WriteException(failedAt, failed);
        }
        else
        {
            Raw("0},\"timeEvents\":{\"timeEvent\":["u8);
        }

        Raw("]},\"instrumentationLibrary\":{\"name\":\"genkit-tracer\",\"version\":\"v1\"},\"endTime\":"u8);
        Plain(endTime);
        Raw("}},\"displayName\":"u8);
        Text(_name);
        Raw(",\"startTime\":"u8);
        Plain(_startTime);
        Raw(",\"endTime\":"u8);
        Plain(endTime);
        Raw("}"u8);
    }

    private void WriteException(string time, in SpanFailure failure)
    {
        Raw("{\"time\":"u8);
        Plain(time);
        Raw(",\"annotation\":{\"attributes\":{\"exception.type\":"u8);
        Text(failure.Type);
        Raw(",\"exception.message\":"u8);
        Text(Cut(failure.Message));
        if (failure.Stack is { Length: > 0 } stack)
        {
            Raw(",\"exception.stacktrace\":"u8);
            Text(Cut(stack));
        }

        Raw("},\"description\":\"exception\"}}"u8);
    }

    /// <summary>A JSON text itself, for that is what readers parse the attribute as.</summary>
    private void Note(ReadOnlySpan<byte> attribute, long bytes, string setting)
    {
        Name(attribute);
        Text($"\"<left out of the trace: {bytes.ToString(CultureInfo.InvariantCulture)} bytes, more than {setting} allows>\"");
    }

    private void Name(ReadOnlySpan<byte> attribute)
    {
        Raw(","u8);
        Raw(attribute);
        Raw(":"u8);
    }

    private void Text(ReadOnlySpan<char> text) => JsonString.Write(Body, text);

    private void Raw(ReadOnlySpan<byte> bytes) => Body.Write(bytes);

    /// <summary>Writes ASCII that needs no escapes.</summary>
    private void Plain(string ascii)
    {
        var span = Body.GetSpan(ascii.Length);
        Body.Advance(System.Text.Encoding.ASCII.GetBytes(ascii, span));
    }
}
