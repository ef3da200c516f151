using System.Text.Json.Serialization;

namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>Source-generated metadata of test types.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Line))]
[JsonSerializable(typeof(RawJson[]))]
[JsonSerializable(typeof(int))]
internal sealed partial class TestJson : JsonSerializerContext
{
}

internal sealed record Line(string Sku, int Count = 1);
