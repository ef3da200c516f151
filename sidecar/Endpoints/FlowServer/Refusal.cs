using Grpc.Core;


namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>Why a request did not become a run.</summary>
/// <param name="HttpStatus">Which may be finer than what the code maps to.</param>
/// <param name="Code">The same in Genkit's terms.</param>
/// <param name="Message">For the caller.</param>
/// <param name="RetryAfter">When the request may be sent again; null if that does not help, or the time is unknown.</param>
internal sealed record Refusal(int HttpStatus, StatusCode Code, string Message, TimeSpan? RetryAfter = null);
