using System.Globalization;
using System.Text.Json;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>
/// The file by which the Genkit CLI finds this runtime, <c>.genkit/runtimes/ID-TIME.json</c> of the project. Without it the runtime is only not
/// found, so whatever keeps it from being written is a warning. Files of others are left alone; the CLI removes those of dead runtimes.
/// </summary>
internal sealed partial class RuntimeFile(RuntimeSettings settings, TimeProvider time, ILogger<RuntimeFile> logger)
{
    private string? _path;

    /// <summary>Gives the root of the project, and the folder in it where the file goes.</summary>
    public static (string Root, string Folder) Place(RuntimeSettings settings)
    {
        var root = settings.ProjectRoot ?? ProjectRoot.OfWorkingDirectory();
        return (root, Path.Combine(root, ".genkit", "runtimes"));
    }

    /// <summary>Writes the file, for a runtime that answers at <paramref name="address"/>.</summary>
    public void Write(RuntimeDescription runtime, Uri address)
    {
        var now = time.GetUtcNow();
        var path = FileName(runtime.Id, now);
        try
        {
            var (root, folder) = Place(settings);
            path = Path.Combine(folder, path);
            if (!Directory.Exists(root))
            {
                // A folder that does not exist is a mistake in the setting.
                throw new DirectoryNotFoundException("there is no such folder");
            }

            Directory.CreateDirectory(folder);
            Publish(Path.Combine(root, ".genkit", $"{Path.GetFileName(path)}.new"), path, Content(runtime, address, now));
            _path = path;
            Log.Written(logger, path, settings.ProjectRoot is null ? "found" : RuntimeSettingTable.ProjectRoot.Flag);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.NotWritten(logger, path, exception.Message);
        }
    }

    /// <summary>Removes the file, if it was written.</summary>
    public void Delete()
    {
        try
        {
            if (_path is not null)
            {
                File.Delete(_path);
                _path = null;
            }
        }
        catch (DirectoryNotFoundException)
        {
            // The folder was removed too.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.NotDeleted(logger, _path!, exception.Message);
        }
    }

    /// <summary>The CLI reads whatever appears among the runtimes, so the file is made elsewhere on the same disk and appears whole.</summary>
    private static void Publish(string unfinished, string path, byte[] content)
    {
        try
        {
            File.WriteAllBytes(unfinished, content);
            File.Move(unfinished, path, overwrite: true);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }

    /// <summary>An id may be anything, a file's name may not.</summary>
    private static string FileName(string id, DateTimeOffset now) => string.Create(
        CultureInfo.InvariantCulture,
        $"{string.Concat(id.Take(100).Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' ? character : '_'))}-{now.ToUnixTimeMilliseconds()}.json");

    private static byte[] Content(RuntimeDescription runtime, Uri address, DateTimeOffset now)
    {
        using var content = new MemoryStream();
        using (var json = new Utf8JsonWriter(content, JsonPayload.WriterOptions with { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, runtime.Id);
            json.WriteNumber("pid"u8, Environment.ProcessId);
            json.WriteString("name"u8, runtime.Name);
            json.WriteString("reflectionServerUrl"u8, address.GetLeftPart(UriPartial.Authority));
            json.WriteString("timestamp"u8, now.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("genkitVersion"u8, runtime.GenkitVersion);

            // A higher one ends the CLI.
            json.WriteNumber("reflectionApiSpecVersion"u8, 1);
            json.WriteEndObject();
        }

        return content.ToArray();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The Genkit CLI finds this runtime by {Path} (project root: {Origin})", EventName = "RuntimeFileWritten")]
        public static partial void Written(ILogger logger, string path, string origin);

        [LoggerMessage(LogLevel.Warning, "The runtime file {Path} cannot be written: {Reason}. The Genkit CLI does not find this application by it; --project-root names another folder", EventName = "RuntimeFileWriteFailed")]
        public static partial void NotWritten(ILogger logger, string path, string reason);

        [LoggerMessage(LogLevel.Warning, "The runtime file {Path} cannot be removed: {Reason}", EventName = "RuntimeFileDeleteFailed")]
        public static partial void NotDeleted(ILogger logger, string path, string reason);
    }
}
