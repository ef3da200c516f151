namespace Genkit.Sidecar.Grpc;

/// <summary>The canonical status codes of gRPC, see https://grpc.io/docs/guides/status-codes/.</summary>
public enum GrpcStatusCode
{
    /// <summary>The call succeeded.</summary>
    OK = 0,

    /// <summary>The call was cancelled, usually by its caller.</summary>
    Cancelled = 1,

    /// <summary>An error without a better code, or an answer that carries no usable status.</summary>
    Unknown = 2,

    /// <summary>The request is wrong whatever the state of the system.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed before the call ended.</summary>
    DeadlineExceeded = 4,

    /// <summary>Something that the request names does not exist.</summary>
    NotFound = 5,

    /// <summary>Something that the request wants to create exists.</summary>
    AlreadyExists = 6,

    /// <summary>The caller may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A quota or a size limit was passed.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is not in the state that the request needs.</summary>
    FailedPrecondition = 9,

    /// <summary>The call was aborted, for instance by a conflict.</summary>
    Aborted = 10,

    /// <summary>The request went past the valid range.</summary>
    OutOfRange = 11,

    /// <summary>The method is not offered.</summary>
    Unimplemented = 12,

    /// <summary>An invariant was broken, on either side or on the wire.</summary>
    Internal = 13,

    /// <summary>The peer cannot be reached, or the connection to it was lost.</summary>
    Unavailable = 14,

    /// <summary>Data was lost or corrupted for good.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known.</summary>
    Unauthenticated = 16,
}
