using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>
/// What an action does: reads its input, runs, sends chunks, returns its result. Most handlers are lambdas, of which <see cref="Application"/> makes one of these by
/// itself; this class is for trimmed applications, those compiled ahead of time, and those that want nothing to be looked up at run time.
/// </summary>
public sealed class ActionHandler
{
    internal ActionHandler(Invocation invoke) => Invoke = invoke;

    /// <summary>Runs the handler and returns its result, encoded; absent where it has none.</summary>
    internal Invocation Invoke { get; }

    /// <summary>Whether it takes a stream of inputs.</summary>
    internal bool TakesStream { get; init; }

    /// <summary>What its input, or one input chunk, is read as; null where it takes none.</summary>
    internal JsonTypeInfo? Input { get; init; }

    /// <summary>What its result is written as; null where it has none.</summary>
    internal JsonTypeInfo? Output { get; init; }

    /// <summary>What its chunks are written as; null where that is not said.</summary>
    internal JsonTypeInfo? Chunk { get; init; }

    /// <summary>What it says of itself.</summary>
    internal string? Description { get; init; }

    /// <summary>A handler of one input.</summary>
    /// <param name="handler">The function.</param>
    /// <param name="input">How the input is read, from a source-generated context.</param>
    /// <param name="output">How the result is written, from the same.</param>
    /// <param name="isInputOptional">Whether a run without input, or with null, is one of <c>default(TInput)</c>.</param>
    public static ActionHandler Create<TInput, TOutput>(
        Func<TInput, ActionRunContext, Task<TOutput>> handler, JsonTypeInfo<TInput> input, JsonTypeInfo<TOutput> output, bool isInputOptional = false)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        var reader = new InputReader<TInput>(input, isInputOptional, isInputOptional);
        return new ActionHandler(Invocations.Async((_, run) => reader.Read(run.Json, run.What), handler, output)) { Input = input, Output = output };
    }

    /// <summary>A handler of streamed input.</summary>
    /// <param name="handler">The function. It may send and return while more may come.</param>
    /// <param name="input">How one input chunk is read, from a source-generated context.</param>
    /// <param name="output">How the result is written, from the same.</param>
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
    /// A handler of a lambda or method. It takes, in any order and each at most once: an input of any type that JSON has, or an <see cref="IAsyncEnumerable{T}"/> of them
    /// for streamed input; an <see cref="ActionRunContext"/>; a <see cref="CancellationToken"/>; and parameters with <c>[FromServices]</c> or <c>[FromKeyedServices]</c>. It returns a result, a task of
    /// one, nothing, or an <see cref="IAsyncEnumerable{T}"/>, whose items are chunks. One that is not asynchronous gets a thread of its own.
    /// </summary>
    /// <param name="handler">The lambda or method.</param>
    /// <param name="options">How values are read and written; without, as the library does.</param>
    /// <exception cref="ArgumentException">It has other parameters, or types that have no JSON form.</exception>
    [RequiresUnreferencedCode("The handler's types are looked up at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    [RequiresDynamicCode("Code is made for the handler at run time. Use ActionHandler.Create with a source-generated JsonSerializerContext.")]
    public static ActionHandler Create(Delegate handler, JsonSerializerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return DelegateHandler.Create(handler, JsonDefaults.Or(options));
    }
}
