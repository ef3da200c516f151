using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <content>Defines each kind of action from an <see cref="ActionHandler"/>, a lambda or a method.</content>
public sealed partial class Application
{
    private const string LooksUp = "The handler's types are looked up at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.";
    private const string MakesCode = "Code is generated for the handler at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.";

    /// <summary>Defines an action of any type.</summary>
    /// <param name="type">Genkit's action type, such as <c>custom</c>. Must not contain slashes.</param>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The type contains a slash, or the name is empty.</exception>
    public ActionDefinition Action(string type, string name, ActionHandler handler, ActionOptions? options = null) => Add(new ActionDefinition(type, name, handler, options));

    /// <inheritdoc cref="Action(string, string, ActionHandler, ActionOptions)"/>
    /// <param name="type">Genkit's action type, such as <c>custom</c>. Must not contain slashes.</param>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler, a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The type contains a slash, the name is empty, or the handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Action(string type, string name, Delegate handler, ActionOptions? options = null) => Action(type, name, HandlerOf(type, name, handler), options);

    /// <summary>Defines a flow.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Flow(string name, ActionHandler handler, ActionOptions? options = null) =>
        Action("flow", name, handler, options);

    /// <inheritdoc cref="Flow(string, ActionHandler, ActionOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler, a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Flow(string name, Delegate handler, ActionOptions? options = null) => Flow(name, HandlerOf("flow", name, handler), options);

    /// <summary>Defines a tool.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Tool(string name, ActionHandler handler, ActionOptions? options = null) =>
        Action("tool", name, handler, (options ?? new()) with { Metadata = Kinds.With(options?.Metadata, Kinds.Tool()) });

    /// <inheritdoc cref="Tool(string, ActionHandler, ActionOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">The handler, a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Tool(string name, Delegate handler, ActionOptions? options = null) => Tool(name, HandlerOf("tool", name, handler), options);

    /// <summary>Defines a model.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes Genkit's <c>GenerateRequest</c> and returns its <c>GenerateResponse</c>. A chunk is a <c>GenerateResponseChunk</c>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Model(string name, ActionHandler handler, ModelOptions? options = null)
    {
        options ??= new();
        return Kind("model", name, handler, options.Description ?? options.Label, options.Metadata, Kinds.Model(name, options));
    }

    /// <inheritdoc cref="Model(string, ActionHandler, ModelOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes Genkit's <c>GenerateRequest</c> and returns its <c>GenerateResponse</c>. A chunk is a <c>GenerateResponseChunk</c>. May be a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Model(string name, Delegate handler, ModelOptions? options = null) => Model(name, HandlerOf("model", name, handler), options);

    /// <summary>Defines a prompt.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes the prompt's variables and returns Genkit's <c>GenerateRequest</c>, <c>{"messages": […]}</c>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Prompt(string name, ActionHandler handler, PromptOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        options ??= new();
        var inputSchema = options.InputSchema ?? (handler.Input is { } input ? Schema.Listed(input) : null);
        return Kind("prompt", name, handler, options.Description, options.Metadata, Kinds.Prompt(name, options, inputSchema), inputSchema);
    }

    /// <inheritdoc cref="Prompt(string, ActionHandler, PromptOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes the prompt's variables and returns Genkit's <c>GenerateRequest</c>, <c>{"messages": […]}</c>. May be a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Prompt(string name, Delegate handler, PromptOptions? options = null) => Prompt(name, HandlerOf("prompt", name, handler), options);

    /// <summary>Defines an embedder.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"input": [Document], "options"}</c> and returns <c>{"embeddings": [{"embedding": [number]}]}</c>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Embedder(string name, ActionHandler handler, EmbedderOptions? options = null)
    {
        options ??= new();
        return Kind("embedder", name, handler, options.Description, options.Metadata, Kinds.Embedder(name, options));
    }

    /// <inheritdoc cref="Embedder(string, ActionHandler, EmbedderOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"input": [Document], "options"}</c> and returns <c>{"embeddings": [{"embedding": [number]}]}</c>. May be a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Embedder(string name, Delegate handler, EmbedderOptions? options = null) => Embedder(name, HandlerOf("embedder", name, handler), options);

    /// <summary>Defines a retriever.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"query": Document, "options"}</c> and returns <c>{"documents": [Document]}</c>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Retriever(string name, ActionHandler handler, LabelledOptions? options = null) =>
        Labelled("retriever", name, handler, options ?? new());

    /// <inheritdoc cref="Retriever(string, ActionHandler, LabelledOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"query": Document, "options"}</c> and returns <c>{"documents": [Document]}</c>. May be a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Retriever(string name, Delegate handler, LabelledOptions? options = null) => Retriever(name, HandlerOf("retriever", name, handler), options);

    /// <summary>Defines an indexer.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"documents": [Document], "options"}</c> and returns nothing.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Indexer(string name, ActionHandler handler, LabelledOptions? options = null) =>
        Labelled("indexer", name, handler, options ?? new());

    /// <inheritdoc cref="Indexer(string, ActionHandler, LabelledOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"documents": [Document], "options"}</c> and returns nothing. May be a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Indexer(string name, Delegate handler, LabelledOptions? options = null) => Indexer(name, HandlerOf("indexer", name, handler), options);

    /// <summary>Defines a reranker.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"query", "documents", "options"}</c> and returns documents with <c>metadata.score</c>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Reranker(string name, ActionHandler handler, LabelledOptions? options = null) =>
        Labelled("reranker", name, handler, options ?? new());

    /// <inheritdoc cref="Reranker(string, ActionHandler, LabelledOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes <c>{"query", "documents", "options"}</c> and returns documents with <c>metadata.score</c>. May be a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Reranker(string name, Delegate handler, LabelledOptions? options = null) => Reranker(name, HandlerOf("reranker", name, handler), options);

    /// <summary>Defines an evaluator. The handler is called for each test case of a dataset. A failed test case does not fail the others.</summary>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes one test case, <c>{"testCaseId", "input", "output", "context", "reference"}</c>, and returns its score, <c>{"score", "status": "PASS" | "FAIL" | "UNKNOWN", "details": {"reasoning"}}</c>, or several scores that each have an <c>id</c>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    public ActionDefinition Evaluator(string name, ActionHandler handler, EvaluatorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        options ??= new();
        var description = options.Description ?? (options.Definition.Length > 0 ? options.Definition : handler.Description);
        return Kind("evaluator", name, Evaluation.ForEachTestCase(handler), description, options.Metadata, Kinds.Evaluator(name, options));
    }

    /// <inheritdoc cref="Evaluator(string, ActionHandler, EvaluatorOptions)"/>
    /// <param name="name">Name of the action. May contain slashes.</param>
    /// <param name="handler">Takes one test case, <c>{"testCaseId", "input", "output", "context", "reference"}</c>, and returns its score, <c>{"score", "status": "PASS" | "FAIL" | "UNKNOWN", "details": {"reasoning"}}</c>, or several scores that each have an <c>id</c>. May be a lambda or method: see <see cref="ActionHandler.Create(Delegate, JsonSerializerOptions)"/>.</param>
    /// <param name="options">Description, schemas and metadata.</param>
    /// <exception cref="ArgumentException">The handler's signature is not supported.</exception>
    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    public ActionDefinition Evaluator(string name, Delegate handler, EvaluatorOptions? options = null) => Evaluator(name, HandlerOf("evaluator", name, handler), options);

    private ActionDefinition Labelled(string type, string name, ActionHandler handler, LabelledOptions options) =>
        Kind(type, name, handler, options.Description, options.Metadata, Kinds.Labelled(type, name, options));

    private ActionDefinition Kind(string type, string name, ActionHandler handler, string? description, JsonObject? given, JsonObject needed, JsonObject? inputSchema = null) =>
        Action(type, name, handler, new ActionOptions
        {
            Description = description,
            Metadata = Kinds.With(given, needed),
            InputSchema = Kinds.SchemaOf(type, "input") ?? inputSchema,
            OutputSchema = Kinds.SchemaOf(type, "output"),
        });

    [RequiresUnreferencedCode(LooksUp)]
    [RequiresDynamicCode(MakesCode)]
    private ActionHandler HandlerOf(string type, string name, Delegate handler) => ActionDefinition.HandlerOf(ActionDefinition.KeyOf(type, name), handler, JsonSerializerOptions);
}
