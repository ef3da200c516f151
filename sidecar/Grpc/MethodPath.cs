namespace Genkit.Sidecar.Grpc;

/// <summary>The path of a method: <c>/package.Service/Method</c>.</summary>
internal static class MethodPath
{
    /// <exception cref="ArgumentException">The method is not a path of two parts.</exception>
    public static void ThrowIfInvalid(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        if (method.Length < 4 || method[0] != '/' || method.LastIndexOf('/') is var last && (last <= 1 || last == method.Length - 1 || method.IndexOf('/', 1) != last)
            || method.AsSpan().ContainsAnyExceptInRange('!', '~') || method.AsSpan().ContainsAny('?', '#'))
        {
            throw new ArgumentException($"'{method}' is not the path of a method: /package.Service/Method", nameof(method));
        }
    }
}
