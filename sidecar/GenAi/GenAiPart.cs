using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.GenAi;

/// <summary>Brings a part of a message into one of Genkit's shapes. A kind that Genkit does not have is shown as data.</summary>
internal static class GenAiPart
{
    public static AnyValue Read(AnyValue value)
    {
        if (!value.IsMap)
        {
            return Part("text", AnyValueTree.String(AnyValueJson.Text(value)));
        }

        switch (value.MemberText("type"))
        {
            case "text" or "input_text" or "output_text" or null when value.MemberText("content", "text") is { } text:
                return Part("text", AnyValueTree.String(text));
            case "reasoning" or "thinking" when value.MemberText("content", "thinking", "text") is { } reasoning:
                return Part("reasoning", AnyValueTree.String(reasoning));
            case "tool_call" or "tool_use" or "function_call" or "function":
                return ToolRequest(value);
            case "tool_call_response" or "tool_result" or "function_call_output":
                return ToolResponse(value);
            case "blob" when value.MemberText("content", "data") is { } base64:
                var type = value.MemberText("mime_type") ?? "application/octet-stream";
                return Media($"data:{type};base64,{base64}", type);
            case "uri" when value.MemberText("uri") is { } uri:
                return Media(uri, value.MemberText("mime_type"));
            case "image_url" when value.Member("image_url") is { } image:
                return Media(image.IsMap ? image.MemberText("url") ?? "" : AnyValueJson.Text(image), null);
            default:
                return Part("data", value);
        }
    }

    /// <summary>A call that a model asks for, by itself or with the function inside, as in OpenAI's answers.</summary>
    public static AnyValue ToolRequest(AnyValue value)
    {
        var call = value.Member("function") is { IsMap: true } function ? function : value;
        return Part("toolRequest", AnyValueTree.Map(
            ("ref", Text(value.MemberText("id", "call_id"))),
            ("name", AnyValueTree.String(call.MemberText("name") ?? "")),
            ("input", call.Member("arguments", "input")?.Parsed())));
    }

    /// <summary>The result of such a call, as a part or as a message of its own.</summary>
    public static AnyValue ToolResponse(AnyValue value) => Part("toolResponse", AnyValueTree.Map(
        ("ref", Text(value.MemberText("tool_call_id", "tool_use_id", "call_id", "id"))),
        ("name", AnyValueTree.String(value.MemberText("name") ?? "")),
        ("output", value.Member("response", "result", "content", "output")?.Parsed())));

    private static AnyValue Media(string url, string? contentType) =>
        Part("media", AnyValueTree.Map(("url", AnyValueTree.String(url)), ("contentType", Text(contentType))));

    private static AnyValue? Text(string? text) => text is null ? null : AnyValueTree.String(text);

    private static AnyValue Part(string kind, AnyValue value) => AnyValueTree.Map((kind, value));
}
