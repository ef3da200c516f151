namespace Genkit.Sidecar.Client;

/// <summary>The canonical codes of gRPC, which are Genkit's own.</summary>
public enum StatusCode
{
    /// <summary>The run was cancelled, usually by its caller.</summary>
    Cancelled = 1,

    /// <summary>An error without a better code.</summary>
    Unknown = 2,

    /// <summary>The input is wrong whatever the state of the system.</summary>
    InvalidArgument = 3,

    /// <summary>Time ran out.</summary>
    DeadlineExceeded = 4,

    /// <summary>Something that the input names does not exist.</summary>
    NotFound = 5,

    /// <summary>Something that the run wants to create exists.</summary>
    AlreadyExists = 6,

    /// <summary>The caller may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A quota or a limit was passed.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is not in the state that the run needs.</summary>
    FailedPrecondition = 9,

    /// <summary>The run was aborted, for instance by a conflict.</summary>
    Aborted = 10,

    /// <summary>The input went past the valid range.</summary>
    OutOfRange = 11,

    /// <summary>This is not offered.</summary>
    Unimplemented = 12,

    /// <summary>An invariant was broken.</summary>
    Internal = 13,

    /// <summary>Something that the run needs cannot be reached now.</summary>
    Unavailable = 14,

    /// <summary>Data was lost or corrupted for good.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known.</summary>
    Unauthenticated = 16,
}
