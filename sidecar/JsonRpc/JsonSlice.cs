using System.Text.Json;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>Where a value lies in its frame: first byte, length in bytes, and what it is. Kind None: the member is absent.</summary>
internal readonly record struct JsonSlice(long Start, long Length, JsonTokenType Kind)
{
    public bool IsPresent => Kind != JsonTokenType.None;

    public bool IsString => Kind == JsonTokenType.String;
}
