using System.Text.Json;

namespace Genkit.Sidecar.Json;

/// <summary>
/// Reads names and strings that may hold a lone surrogate, such as <c>"\ud800"</c>. JSON allows it and JSON.parse takes it, but
/// <see cref="Utf8JsonReader"/>'s own methods throw, for it has no UTF-8 form.
/// </summary>
internal static class JsonText
{
    public static bool NameEquals(this ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        try
        {
            return reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Gives the value of a string, or null if it has no UTF-16 form that another program would take.</summary>
    public static string? GetStringOrNull(this ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
