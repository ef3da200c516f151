using System.Buffers;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>Makes posts of log records, as few as they fit into.</summary>
internal sealed class LogPosts(LogWriter writer, long maxBytes)
{
    /// <summary>What a post takes besides its records and the names of their libraries.</summary>
    public const int Overhead = 256 * 1024;

    private SpanBody? _body;
    private bool _isInScope;
    private int _count;

    /// <inheritdoc cref="TracePosts.Build"/>
    public IEnumerable<TracePost> Build(ExportLogsServiceRequest request)
    {
        foreach (var resource in request.ResourceLogs)
        {
            foreach (var logs in resource.ScopeLogs)
            {
                foreach (var record in logs.LogRecords)
                {
                    var json = writer.Write(record, logs.Scope, resource.Resource);
                    if (_body is not null && _body.Length + json.Length + Overhead > maxBytes)
                    {
                        yield return Close(_body);
                    }

                    if (_body is null)
                    {
                        _body = new SpanBody();
                        _body.Write("{\"resourceLogs\":[{\"scopeLogs\":["u8);
                    }

                    OpenScope(_body, logs.Scope);
                    _body.Write(json.Span);
                    _count++;
                }

                CloseScope();
            }
        }

        if (_body is not null)
        {
            yield return Close(_body);
        }
    }

    /// <summary>Goes on to the next record of a library, or begins with its first.</summary>
    private void OpenScope(SpanBody body, InstrumentationScope? scope)
    {
        if (_isInScope)
        {
            body.Write(","u8);
            return;
        }

        _isInScope = true;
        body.Write(_count > 0 ? ",{\"scope\":{\"name\":"u8 : "{\"scope\":{\"name\":"u8);
        JsonString.Write(body, BoundedWriter.Cut(scope?.Name ?? ""));
        if (scope is { Version.Length: > 0 })
        {
            body.Write(",\"version\":"u8);
            JsonString.Write(body, BoundedWriter.Cut(scope.Version));
        }

        body.Write("},\"logRecords\":["u8);
    }

    private void CloseScope()
    {
        if (_isInScope)
        {
            _body!.Write("]}"u8);
            _isInScope = false;
        }
    }

    private TracePost Close(SpanBody body)
    {
        CloseScope();
        body.Write("]}]}"u8);
        var post = new TracePost(TracePost.LogOrder, body, PostContent.Logs, _count, Math.Max(TraceExporter.LeastBytes, body.Length));
        _body = null;
        _count = 0;
        return post;
    }
}
