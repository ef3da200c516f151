using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Grpc.Core;

namespace Genkit.Sidecar.Client;

/// <summary>Thrown by an action to fail with a code of its choice. A call that shall end with a gRPC status instead has <see cref="RpcException"/>.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "Every client library has this name.")]
[SuppressMessage("Design", "CA1032", Justification = "An error has a code.")]
public class ActionError : Exception
{
    /// <summary>Makes an error.</summary>
    /// <param name="code">What kind of failure it is.</param>
    /// <param name="message">What went wrong, for people.</param>
    /// <param name="details">What went wrong, for programs.</param>
    /// <param name="innerException">What caused it; part of the stack that the caller gets.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code is none of an error, such as gRPC's 0 for OK.</exception>
    public ActionError(StatusCode code, string message, JsonObject? details = null, Exception? innerException = null)
        : base(message, innerException)
    {
        if (code is < StatusCode.Cancelled or > StatusCode.Unauthenticated)
        {
            throw new ArgumentOutOfRangeException(nameof(code), code, $"no error has this code; its message was: {message}");
        }

        Code = code;
        Details = details;
    }

    /// <summary>What kind of failure it is.</summary>
    public StatusCode Code { get; }

    /// <summary>What went wrong, for programs.</summary>
    public JsonObject? Details { get; }

    /// <summary>The stack trace that the caller gets in place of the exception's own; empty for none.</summary>
    public string? Stack { get; init; }
}
