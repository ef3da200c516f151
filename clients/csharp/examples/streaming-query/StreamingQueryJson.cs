using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamingQuery;

/// <summary>Serialization metadata of the example. Source-generated, so that the application can be trimmed or compiled ahead of time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(SnakeCaseEnum<ShieldVerdict>), typeof(SnakeCaseEnum<ToolStatus>)],
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(Query))]
[JsonSerializable(typeof(Event))]
[JsonSerializable(typeof(EndEvent))]
[JsonSerializable(typeof(AgentEvent))]
internal sealed partial class StreamingQueryJson : JsonSerializerContext;

internal sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
