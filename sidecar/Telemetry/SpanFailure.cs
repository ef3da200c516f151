namespace Genkit.Sidecar.Telemetry;

/// <param name="Type">Name of the status, such as <c>NOT_FOUND</c>.</param>
/// <param name="Message">What went wrong, for people.</param>
/// <param name="Stack">Stack trace in the application's language, or null.</param>
internal readonly record struct SpanFailure(string Type, string Message, string? Stack);
