using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>
/// The function of an action. It reads the input, runs, sends chunks and returns a result. <see cref="Application"/> creates handlers from lambdas and methods. Use
/// this class in applications that are trimmed or compiled ahead of time.
/// </summary>
public sealed class ActionHandler
{
    internal ActionHandler(Invocation invoke) => Invoke = invoke;

    /// <summary>Runs the handler and returns its encoded result, which is absent if the handler has none.</summary>
    internal Invocation Invoke { get; }

    /// <summary>Whether the handler takes a stream of inputs.</summary>
    internal bool TakesStream { get; init; }

    /// <summary>Type of the input, or of one input chunk. Null if the handler takes none.</summary>
    internal JsonTypeInfo? Input { get; init; }

    /// <summary>Type of the result. Null if the handler has none.</summary>
    internal JsonTypeInfo? Output { get; init; }

    /// <summary>Type of the output chunks. Null if it is unknown.</summary>
    internal JsonTypeInfo? Chunk { get; init; }

    /// <summary>Text of the <c>[Description]</c> attribute.</summary>
    internal string? Description { get; init; }

    /// <summary>Creates a handler that takes one input.</summary>
    /// <param name="handler">The function.</param>
    /// <param name="input">Type metadata of the input, from a source-generated context.</param>
    /// <param name="output">Type metadata of the result, from a source-generated context.</param>
    /// <param name="isInputOptional">Whether an absent input, or null, is read as <c>default(TInput)</c>.</param>
    public static ActionHandler Create<TInput, TOutput>(
        Func<TInput, ActionRunContext, Task<TOutput>> handler, JsonTypeInfo<TInput> input, JsonTypeInfo<TOutput> output, bool isInputOptional = false)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        var reader = new InputReader<TInput>(input, isInputOptional, isInputOptional);
        return new ActionHandler(Invocations.Async((_, run) => reader.Read(run.Json, run.What), handler, output)) { Input = input, Output = output };
    }

    /// <summary>Creates a handler that takes streamed input.</summary>
    /// <param name="handler">The function. It may send chunks and return before the input ends.</param>
    /// <param name="input">Type metadata of one input chunk, from a source-generated context.</param>
    /// <param name="output">Type metadata of the result, from a source-generated context.</param>
    public static ActionHandler CreateStreaming<TInput, TOutput>(
        Func<IAsyncEnumerable<TInput>, ActionRunContext, Task<TOutput>> handler, JsonTypeInfo<TInput> input, JsonTypeInfo<TOutput> output)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        var reader = new InputReader<TInput>(input);
        return new ActionHandler(Invocations.Async((context, run) => run.ReadChunksAsync(reader, context.CancellationToken), handler, output))
        {
            TakesStream = true,
            Input = input,
            Output = output,
        };
    }

    /// <summary>
    /// Creates a handler from a lambda or method. Its parameters, in any order and each at most once, are: an input of any serializable type, or an
    /// <see cref="IAsyncEnumerable{T}"/> for streamed input; an <see cref="ActionRunContext"/>; a <see cref="CancellationToken"/>; and parameters with <c>[FromServices]</c> or <c>[FromKeyedServices]</c>. It returns a result, a task of
    /// a result, nothing, or an <see cref="IAsyncEnumerable{T}"/>, whose items are chunks. A handler that is not asynchronous runs in a thread of its own.
    /// </summary>
    /// <param name="handler">The lambda or method.</param>
    /// <param name="options">Serializer options. Defaults to the library's options.</param>
    /// <exception cref="ArgumentException">It has other parameters, or a type has no JSON representation.</exception>
    [RequiresUnreferencedCode("The handler's types are looked up at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    [RequiresDynamicCode("Code is generated for the handler at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    public static ActionHandler Create(Delegate handler, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return DelegateHandler.Create(handler, JsonDefaults.Or(options));
    }
}
