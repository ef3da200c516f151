using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Grpc.Core;

namespace Genkit.Sidecar.Client;

/// <summary>Fails the run with a given status code. To end the call with a gRPC status instead, throw <see cref="RpcException"/>.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "All client libraries use this name.")]
[SuppressMessage("Design", "CA1032", Justification = "An error always has a code.")]
public class ActionError : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="code">Status code of the failure.</param>
    /// <param name="message">Human-readable description of the failure.</param>
    /// <param name="details">Machine-readable description of the failure.</param>
    /// <param name="innerException">Cause of the failure. It is part of the reported stack.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code is not an error code, such as gRPC's 0 for OK.</exception>
    public ActionError(StatusCode code, string message, JsonObject? details = null, Exception? innerException = null)
        : base(message, innerException)
    {
        if (code is < StatusCode.Cancelled or > StatusCode.Unauthenticated)
        {
            throw new ArgumentOutOfRangeException(nameof(code), code, $"the code is not an error code; the message of the error is: {message}");
        }

        Code = code;
        Details = details;
    }

    /// <summary>Status code of the failure.</summary>
    public StatusCode Code { get; }

    /// <summary>Machine-readable description of the failure.</summary>
    public JsonObject? Details { get; }

    /// <summary>Stack trace to report instead of the exception's own. An empty string reports none.</summary>
    public string? Stack { get; init; }
}
