namespace Genkit.Sidecar.Client;

/// <summary>Runs a handler.</summary>
/// <param name="context">The run.</param>
/// <param name="input">Its input.</param>
/// <returns>The result, encoded; absent where the handler has none.</returns>
internal delegate ValueTask<RawJson> Invocation(ActionRunContext context, RunInput input);
