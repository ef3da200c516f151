using Grpc.Core;


namespace Genkit.Sidecar.Actions;

/// <summary>Why an action, or a call about actions, failed. gRPC's codes are Genkit's codes, number for number.</summary>
/// <param name="Code">Canonical code, never OK.</param>
/// <param name="Message">What went wrong, worded for users.</param>
internal sealed record ActionFailure(StatusCode Code, string Message)
{
    /// <summary>The application's own details: empty, or one valid JSON object.</summary>
    public ReadOnlyMemory<byte> Details { get; init; }

    /// <summary>Why the application's details were left out, for the log; null if they were not.</summary>
    public string? DetailsDefect { get; init; }

    /// <summary>Stack trace in the application's language, or null.</summary>
    public string? Stack { get; init; }

    /// <summary>Whether the message is about how the sidecar reaches the application or what is wrong between the two, and so not for strangers.</summary>
    public bool IsForOperator { get; init; }

    public static ActionFailure Cancelled { get; } = new(StatusCode.Cancelled, "Action was cancelled");
}
