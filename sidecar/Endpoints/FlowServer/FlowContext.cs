using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>The context of a run, made of those request headers that the operator has named. Callers cannot add to it.</summary>
internal sealed class FlowContext
{
    private readonly Member _root = new("", null);

    public FlowContext(IEnumerable<ContextHeader> headers)
    {
        foreach (var (path, header) in headers)
        {
            var member = _root;
            for (var i = 0; i < path.Count; i++)
            {
                var next = member.Members.Find(known => known.Name == path[i]);
                if (next is null)
                {
                    next = new Member(path[i], i == path.Count - 1 ? header : null);
                    member.Members.Add(next);
                }

                member = next;
            }
        }
    }

    /// <summary>One JSON object of strings, the values of a header that came twice joined as RFC 9110 has it; null if none of the headers came.</summary>
    public ReadOnlySequence<byte>? Read(IHeaderDictionary headers)
    {
        if (!IsIn(_root, headers))
        {
            return null;
        }

        var context = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(context, JsonPayload.WriterOptions))
        {
            WriteMembers(json, _root, headers);
        }

        return new ReadOnlySequence<byte>(context.WrittenMemory);
    }

    private static bool IsIn(Member member, IHeaderDictionary headers) =>
        member.Header is { } header ? headers.ContainsKey(header) : member.Members.Exists(inner => IsIn(inner, headers));

    private static void WriteMembers(Utf8JsonWriter json, Member member, IHeaderDictionary headers)
    {
        json.WriteStartObject();
        foreach (var inner in member.Members.Where(inner => IsIn(inner, headers)))
        {
            json.WritePropertyName(inner.Name);
            if (inner.Header is { } header)
            {
                json.WriteStringValue(string.Join(", ", headers[header].ToArray()));
            }
            else
            {
                WriteMembers(json, inner, headers);
            }
        }

        json.WriteEndObject();
    }

    private sealed record Member(string Name, string? Header)
    {
        public List<Member> Members { get; } = [];
    }
}
