using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Genkit.Sidecar.Client;

/// <summary>The input, an input chunk, the init or the context is not what the action takes. Always <see cref="StatusCode.InvalidArgument"/>, without a stack.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "Every client library has this name.")]
[SuppressMessage("Design", "CA1032", Justification = "An error has a message.")]
public class InputError : ActionError
{
    /// <summary>Makes an error.</summary>
    /// <param name="message">Which member is wrong, and what it must be.</param>
    public InputError(string message)
        : base(StatusCode.InvalidArgument, message) => Stack = "";
}
