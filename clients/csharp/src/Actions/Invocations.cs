using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>The supported shapes of handlers. <c>bind</c> creates the input and throws <see cref="InputError"/>.</summary>
internal static class Invocations
{
    public static Invocation Async<TInput, TOutput>(
        Func<ActionRunContext, RunInput, TInput> bind, Func<TInput, ActionRunContext, Task<TOutput>> handler, JsonTypeInfo<TOutput> output) =>
        async (context, input) => JsonDefaults.Encode(await handler(bind(context, input), context).ConfigureAwait(false), output);

    public static Invocation AsyncWithoutResult<TInput>(Func<ActionRunContext, RunInput, TInput> bind, Func<TInput, ActionRunContext, Task> handler) =>
        async (context, input) =>
        {
            await handler(bind(context, input), context).ConfigureAwait(false);
            return RawJson.Absent;
        };

    public static Invocation Blocking<TInput, TOutput>(
        Func<ActionRunContext, RunInput, TInput> bind, Func<TInput, ActionRunContext, TOutput> handler, JsonTypeInfo<TOutput> output) =>
        async (context, input) =>
        {
            var bound = bind(context, input);
            return JsonDefaults.Encode(await OnThread(() => handler(bound, context)).ConfigureAwait(false), output);
        };

    public static Invocation BlockingWithoutResult<TInput>(Func<ActionRunContext, RunInput, TInput> bind, Action<TInput, ActionRunContext> handler) =>
        async (context, input) =>
        {
            var bound = bind(context, input);
            return await OnThread(() =>
            {
                handler(bound, context);
                return RawJson.Absent;
            }).ConfigureAwait(false);
        };

    public static Invocation Chunks<TInput, TChunk>(
        Func<ActionRunContext, RunInput, TInput> bind, Func<TInput, ActionRunContext, IAsyncEnumerable<TChunk>> handler, JsonTypeInfo<TChunk> chunk) =>
        async (context, input) =>
        {
            await foreach (var item in handler(bind(context, input), context).WithCancellation(context.CancellationToken).ConfigureAwait(false))
            {
                await context.SendChunkAsync(item, chunk).ConfigureAwait(false);
            }

            return RawJson.Absent;
        };

    // In the thread pool, runs that wait for each other could exhaust the threads.
    private static Task<T> OnThread<T>(Func<T> function) =>
        Task.Factory.StartNew(function, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}
