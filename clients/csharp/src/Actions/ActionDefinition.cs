using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;

namespace Genkit.Sidecar.Client;

/// <summary>An action: its listed properties and its handler. <see cref="Application"/> creates it; use <see cref="Create(string, string, ActionHandler, ActionOptions)"/> for actions that are not listed.</summary>
public sealed class ActionDefinition
{
    private readonly Lazy<V1.Action> _listed;

    internal ActionDefinition(string type, string name, ActionHandler handler, ActionOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(type);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(handler);
        if (type.Contains('/'))
        {
            throw new ArgumentException($"the type of an action must not contain a slash: '{type}'", nameof(type));
        }

        Type = type;
        Name = name;
        Key = KeyOf(type, name);
        Handler = handler;
        Description = options?.Description ?? handler.Description;
        try
        {
            InputSchema = options?.InputSchema ?? (handler.Input is { } input ? Schema.Listed(input) : null);
            OutputSchema = options?.OutputSchema ?? (handler.Output is { } output ? Schema.Listed(output) : null);
            StreamSchema = options?.StreamSchema ?? (handler.Chunk is { } chunk ? Schema.Listed(chunk) : null);
        }
        catch (ArgumentException e)
        {
            throw WithKey(Key, e);
        }

        Metadata = options?.Metadata;
        _listed = new(() =>
        {
            try
            {
                return ToMessage();
            }
            catch (ArgumentException e)
            {
                throw WithKey(Key, e);
            }
        });
    }

    /// <summary>Genkit's action type, such as <c>flow</c>.</summary>
    public string Type { get; }

    /// <summary>Name of the action. May contain slashes.</summary>
    public string Name { get; }

    /// <summary>Key of the action, <c>/TYPE/NAME</c>.</summary>
    public string Key { get; }

    /// <summary>What the action does, for people and models.</summary>
    public string? Description { get; }

    /// <summary>JSON Schema of the input, or of one input chunk. Null if the action accepts any value.</summary>
    public JsonObject? InputSchema { get; }

    /// <summary>JSON Schema of the result. Null if it may be any value.</summary>
    public JsonObject? OutputSchema { get; }

    /// <summary>JSON Schema of one output chunk. Null if it is unknown or may be any value.</summary>
    public JsonObject? StreamSchema { get; }

    /// <summary>Metadata of the action type for Genkit's tools.</summary>
    public JsonObject? Metadata { get; }

    /// <summary>Whether the action takes a stream of inputs.</summary>
    public bool IsBidi => Handler.TakesStream;

    internal ActionHandler Handler { get; }

    /// <summary>The action as <c>ListActions</c> reports it.</summary>
    internal V1.Action Listed => _listed.Value;

    /// <summary>Creates an action without adding it to an application.</summary>
    /// <param name="type">Genkit's action type. Must not contain slashes.</param>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The type contains a slash, or the name is empty.</exception>
    public static ActionDefinition Create(string type, string name, ActionHandler handler, ActionOptions? options = null) => new(type, name, handler, options);

    /// <inheritdoc cref="Create(string, string, ActionHandler, ActionOptions)"/>
    /// <param name="type">Genkit's action type. Must not contain slashes.</param>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <param name="json">Serializer options. Defaults to the library's options.</param>
    [RequiresUnreferencedCode("The handler's types are looked up at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    [RequiresDynamicCode("Code is generated for the handler at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    public static ActionDefinition Create(string type, string name, Delegate handler, ActionOptions? options = null, JsonSerializerOptions? json = null) =>
        new(type, name, HandlerOf(KeyOf(type, name), handler, json), options);

    /// <exception cref="ArgumentException">The handler's signature is not supported. The message begins with the key.</exception>
    [RequiresUnreferencedCode("The handler's types are looked up at run time.")]
    [RequiresDynamicCode("Code is generated for the handler at run time.")]
    internal static ActionHandler HandlerOf(string key, Delegate handler, JsonSerializerOptions? json)
    {
        try
        {
            return ActionHandler.Create(handler, json);
        }
        catch (ArgumentException e) when (e is not ArgumentNullException)
        {
            throw WithKey(key, e);
        }
    }

    internal static string KeyOf(string type, string name) => $"/{type}/{name}";

    private static ArgumentException WithKey(string key, ArgumentException e) => new($"{key}: {e.Message}", e);

    private static ByteString? Encoded(JsonObject? value) => value is null ? null : UnsafeByteOperations.UnsafeWrap(JsonDefaults.Encode(value));

    private V1.Action ToMessage()
    {
        var listed = new V1.Action { Key = Key, Name = Name };
        if (Description is not null)
        {
            listed.Description = Description;
        }

        if (Encoded(InputSchema) is { } input)
        {
            listed.InputSchemaJson = input;
        }

        if (Encoded(OutputSchema) is { } output)
        {
            listed.OutputSchemaJson = output;
        }

        var metadata = IsBidi ? Kinds.With(Metadata, new JsonObject { ["bidi"] = true }) : Metadata;
        if (StreamSchema is not null)
        {
            // The contract has no field for it.
            metadata = Kinds.With(metadata, new JsonObject { ["streamSchema"] = StreamSchema.DeepClone() });
        }

        if (metadata is { Count: > 0 })
        {
            listed.MetadataJson = Encoded(metadata);
        }

        return listed;
    }
}
