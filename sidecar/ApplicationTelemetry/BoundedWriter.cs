using System.Globalization;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>Writes an item so that it fits into a request: where it is too large, its largest values are replaced by notes.</summary>
/// <param name="maxBytes">Of the item's JSON.</param>
internal sealed class BoundedWriter(int maxBytes)
{
    /// <summary>Of texts that a note cannot replace. A name of that length is no longer read by anybody.</summary>
    private const int MaxTextLength = 16 * 1024;

    /// <summary>What a note takes at most.</summary>
    private const int NoteBytes = 160;

    /// <summary>Attributes that Genkit's tools read as JSON texts.</summary>
    private static readonly HashSet<string> s_jsonTexts = ["genkit:input", "genkit:output", "genkit:init", "genkit:metadata:context"];

    private readonly List<int> _sizes = [];
    private int _limit;

    public JsonWriter Json { get; } = new();

    /// <summary>Whether the item has a note in place of a value.</summary>
    public bool HasNotes { get; private set; }

    /// <summary>Whether to write nothing but what the item cannot do without: even with notes it is too large.</summary>
    public bool IsBare { get; private set; }

    /// <summary>Writes the item, again if need be. Gives its JSON, which is valid until the next one.</summary>
    public ReadOnlyMemory<byte> Fit<T>(T item, Action<T> write)
    {
        IsBare = false;
        _limit = int.MaxValue;
        Write(item, write);
        if (Json.Length > maxBytes)
        {
            _limit = FindLimit();
            Write(item, write);
        }

        if (Json.Length > maxBytes)
        {
            IsBare = true;
            Write(item, write);
        }

        return Json.Written;
    }

    /// <summary>Writes the value of a member whose name has been written, or a note of its size.</summary>
    /// <param name="key">The attribute's name.</param>
    /// <param name="value">The value.</param>
    /// <param name="write">Writes it.</param>
    public void Value(string key, AnyValue? value, Action<JsonWriter, AnyValue?> write)
    {
        var start = Json.Length;
        write(Json, value);
        var size = Json.Length - start;
        if (size > _limit)
        {
            Json.TakeBackTo(start);
            write(Json, new AnyValue { StringValue = Note(key, size) });
            HasNotes = true;
        }
        else
        {
            _sizes.Add(size);
        }
    }

    public static string Cut(string text) => text.Length <= MaxTextLength ? text : string.Concat(text.AsSpan(0, MaxTextLength), "…");

    private static string Note(string key, int bytes)
    {
        var note = $"<left out of the trace: {bytes.ToString(CultureInfo.InvariantCulture)} bytes, more than --telemetry-max-span-bytes allows>";
        return s_jsonTexts.Contains(key) ? $"\"{note}\"" : note;
    }

    private void Write<T>(T item, Action<T> write)
    {
        HasNotes = false;
        _sizes.Clear();
        Json.Clear();
        write(item);
    }

    /// <summary>The size up to which values may stay, so that as few as possible have to go.</summary>
    private int FindLimit()
    {
        long excess = Json.Length - maxBytes;
        _sizes.Sort();
        for (var i = _sizes.Count - 1; i >= 0 && _sizes[i] > NoteBytes; i--)
        {
            excess -= _sizes[i] - NoteBytes;
            if (excess <= 0)
            {
                return _sizes[i] - 1;
            }
        }

        return NoteBytes;
    }
}
