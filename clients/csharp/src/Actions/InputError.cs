using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Genkit.Sidecar.Client;

/// <summary>The input, an input chunk, the init value or the context does not match its type. The code is <see cref="StatusCode.InvalidArgument"/>, and there is no stack.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "All client libraries use this name.")]
[SuppressMessage("Design", "CA1032", Justification = "An error always has a message.")]
public class InputError : ActionError
{
    /// <summary>Creates an error.</summary>
    /// <param name="message">Names the member that is wrong and what it must be.</param>
    public InputError(string message)
        : base(StatusCode.InvalidArgument, message) => Stack = "";
}
