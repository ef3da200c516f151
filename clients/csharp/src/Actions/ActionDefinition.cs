using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;

namespace Genkit.Sidecar.Client;

/// <summary>An action: what is listed of it, and the handler behind it. Made by <see cref="Application"/>; by itself, for actions that are not listed.</summary>
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
            throw new ArgumentException($"the type of an action has no slash, but this is '{type}'", nameof(type));
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
            throw Undefinable(Key, e);
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
                throw Undefinable(Key, e);
            }
        });
    }

    /// <summary>Genkit's type of action, such as <c>flow</c>.</summary>
    public string Type { get; }

    /// <summary>The name, possibly with slashes.</summary>
    public string Name { get; }

    /// <summary><c>/TYPE/NAME</c>.</summary>
    public string Key { get; }

    /// <summary>What the action does, for people and models.</summary>
    public string? Description { get; }

    /// <summary>JSON Schema of the input, or of one input chunk; null where it takes any.</summary>
    public JsonObject? InputSchema { get; }

    /// <summary>JSON Schema of the result; null where it may be any.</summary>
    public JsonObject? OutputSchema { get; }

    /// <summary>JSON Schema of one chunk of output; null where that is not said, or it may be any.</summary>
    public JsonObject? StreamSchema { get; }

    /// <summary>What Genkit's tools know of the action's type.</summary>
    public JsonObject? Metadata { get; }

    /// <summary>Whether it takes a stream of inputs.</summary>
    public bool IsBidi => Handler.TakesStream;

    internal ActionHandler Handler { get; }

    /// <summary>What <c>ListActions</c> says of it.</summary>
    internal V1.Action Listed => _listed.Value;

    /// <summary>Makes an action that no application lists.</summary>
    /// <param name="type">Genkit's type of action, without slashes.</param>
    /// <param name="name">The name, possibly with slashes.</param>
    /// <param name="handler">What it does.</param>
    /// <param name="options">What else there is to say.</param>
    /// <exception cref="ArgumentException">The type has a slash, or there is no name.</exception>
    public static ActionDefinition Create(string type, string name, ActionHandler handler, ActionOptions? options = null) => new(type, name, handler, options);

    /// <inheritdoc cref="Create(string, string, ActionHandler, ActionOptions)"/>
    /// <param name="type">Genkit's type of action, without slashes.</param>
    /// <param name="name">The name, possibly with slashes.</param>
    /// <param name="handler">What it does: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">What else there is to say.</param>
    /// <param name="json">How values are read and written; without, as the library does.</param>
    [RequiresUnreferencedCode("The handler's types are looked up at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    [RequiresDynamicCode("Code is made for the handler at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    public static ActionDefinition Create(string type, string name, Delegate handler, ActionOptions? options = null, JsonSerializerOptions? json = null) =>
        new(type, name, HandlerOf(KeyOf(type, name), handler, json), options);

    /// <exception cref="ArgumentException">The handler's signature is not one of an action. The message begins with the key.</exception>
    [RequiresUnreferencedCode("The handler's types are looked up at run time.")]
    [RequiresDynamicCode("Code is made for the handler at run time.")]
    internal static ActionHandler HandlerOf(string key, Delegate handler, JsonSerializerOptions? json)
    {
        try
        {
            return ActionHandler.Create(handler, json);
        }
        catch (ArgumentException e) when (e is not ArgumentNullException)
        {
            throw Undefinable(key, e);
        }
    }

    internal static string KeyOf(string type, string name) => $"/{type}/{name}";

    private static ArgumentException Undefinable(string key, ArgumentException e) => new($"{key}: {e.Message}", e);

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
            // For which the contract has no member of its own.
            metadata = Kinds.With(metadata, new JsonObject { ["streamSchema"] = StreamSchema.DeepClone() });
        }

        if (metadata is { Count: > 0 })
        {
            listed.MetadataJson = Encoded(metadata);
        }

        return listed;
    }
}
