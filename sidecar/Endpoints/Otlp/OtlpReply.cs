namespace Genkit.Sidecar.Endpoints.Otlp;

/// <param name="Verdict">What is said of the request as a whole.</param>
/// <param name="Rejected">Items that were refused within an accepted request: a partial success.</param>
/// <param name="Problem">Why, for people and without payload; empty if there is nothing to say.</param>
internal readonly record struct OtlpReply(OtlpVerdict Verdict, long Rejected = 0, string Problem = "");
