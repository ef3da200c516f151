namespace Genkit.Sidecar.Client;

/// <summary>Runs a handler.</summary>
/// <param name="context">The run.</param>
/// <param name="input">The input of the run.</param>
/// <returns>The encoded result, which is absent if the handler has none.</returns>
internal delegate ValueTask<RawJson> Invocation(ActionRunContext context, RunInput input);
