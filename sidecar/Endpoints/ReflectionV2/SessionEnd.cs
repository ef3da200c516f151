namespace Genkit.Sidecar.Endpoints.ReflectionV2;

internal enum SessionEndReason
{
    /// <summary>The manager closed the connection.</summary>
    Closed,

    /// <summary>The connection broke, or the manager stopped answering pings.</summary>
    Lost,

    /// <summary>The manager did not take the registration.</summary>
    NotRegistered,

    /// <summary>The sidecar is stopping.</summary>
    Stopped,
}

/// <summary>How a session ended.</summary>
/// <param name="Reason">What ended it.</param>
/// <param name="Detail">The cause, worded for users.</param>
internal readonly record struct SessionEnd(SessionEndReason Reason, string Detail);
