using System.Buffers;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Otlp;

/// <summary>Makes posts of log records, as few as they fit into.</summary>
internal sealed class LogPosts(LogWriter writer, long maxBytes)
{
    /// <summary>What a post takes besides its records and the names of their libraries.</summary>
    public const int Overhead = 256 * 1024;

    private readonly List<TracePost> _posts = [];
    private SpanBody? _body;
    private int _count;

    public void Add(ScopeLogs logs, Resource? resource)
    {
        var isOpen = false;
        foreach (var record in logs.LogRecords)
        {
            var json = writer.Write(record, logs.Scope, resource);
            if (_body is not null && _body.Length + json.Length + Overhead > maxBytes)
            {
                CloseScope(ref isOpen);
                Close();
            }

            if (_body is null)
            {
                _body = new SpanBody();
                _body.Write("{\"resourceLogs\":[{\"scopeLogs\":["u8);
            }

            OpenScope(_body, logs.Scope, ref isOpen);
            _body.Write(json.Span);
            _count++;
        }

        CloseScope(ref isOpen);
    }

    /// <summary>Each with its share of the exporter's bound, which has yet to be taken.</summary>
    public List<TracePost> Build()
    {
        Close();
        return _posts;
    }

    /// <summary>Goes on to the next record of a library, or begins with its first.</summary>
    private void OpenScope(SpanBody body, InstrumentationScope? scope, ref bool isOpen)
    {
        if (isOpen)
        {
            body.Write(","u8);
            return;
        }

        isOpen = true;
        body.Write(_count > 0 ? ",{\"scope\":{\"name\":"u8 : "{\"scope\":{\"name\":"u8);
        JsonString.Write(body, BoundedWriter.Cut(scope?.Name ?? ""));
        if (scope is { Version.Length: > 0 })
        {
            body.Write(",\"version\":"u8);
            JsonString.Write(body, BoundedWriter.Cut(scope.Version));
        }

        body.Write("},\"logRecords\":["u8);
    }

    private void CloseScope(ref bool isOpen)
    {
        if (isOpen)
        {
            _body!.Write("]}"u8);
            isOpen = false;
        }
    }

    private void Close()
    {
        if (_body is not null)
        {
            _body.Write("]}]}"u8);
            _posts.Add(new TracePost(TracePost.LogOrder, _body, PostContent.Logs, _count, Math.Max(TraceExporter.LeastBytes, _body.Length)));
            _body = null;
            _count = 0;
        }
    }
}
