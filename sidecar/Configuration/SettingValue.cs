using System.Globalization;

namespace Genkit.Sidecar.Configuration;

/// <summary>What the texts of a setting are, and how they become its value.</summary>
/// <param name="Placeholder">Stands for a text in the help.</param>
/// <param name="Accepts">Which texts are good, worded for users.</param>
/// <param name="Parse">Is given one text, or one or more if the setting is repeatable.</param>
internal sealed record SettingValue<T>(string Placeholder, string Accepts, Func<IReadOnlyList<string>, Parsed<T>> Parse)
{
    public bool IsRepeatable { get; init; }
}

/// <summary>The kinds of values that several settings have.</summary>
internal static class SettingValue
{
    public static SettingValue<bool> Flag { get; } = Single("BOOL", "true or false", Choice.Flag);

    public static SettingValue<BearerToken?> Token { get; } = Single("TOKEN", "visible ASCII characters without spaces", BearerToken.Parse);

    public static SettingValue<IReadOnlyList<string>> Hosts { get; } = Repeated(
        "HOST",
        "host names or IP addresses, without port",
        texts => texts.FirstOrDefault(text => Uri.CheckHostName(text) == UriHostNameType.Unknown) is { } wrong
            ? Parsed<IReadOnlyList<string>>.Bad($"{QuotedText.Text(wrong)} is not a host")
            : Parsed<IReadOnlyList<string>>.Good(texts));

    public static SettingValue<T> Single<T>(string placeholder, string accepts, Func<string, Parsed<T>> parse) =>
        new(placeholder, accepts, texts => parse(texts[0]));

    public static SettingValue<T> Repeated<T>(string placeholder, string accepts, Func<IReadOnlyList<string>, Parsed<T>> parse) =>
        new(placeholder, accepts, parse) { IsRepeatable = true };

    /// <summary>One line of text that <paramref name="isGood"/> takes.</summary>
    /// <param name="placeholder">Stands for the text in the help.</param>
    /// <param name="accepts">Which texts are good, worded for users.</param>
    /// <param name="isGood">Whether a text is good.</param>
    /// <param name="complaint">What is wrong with one that is not, after its quotation.</param>
    public static SettingValue<string> Text(string placeholder, string accepts, Func<string, bool> isGood, string complaint) => Single(
        placeholder,
        accepts,
        text => isGood(text) ? Parsed<string>.Good(text) : Parsed<string>.Bad($"{QuotedText.Text(text)} {complaint}"));

    public static SettingValue<string> Text(string placeholder, string accepts) =>
        Text(placeholder, accepts, text => !text.Any(char.IsControl), "has control characters");

    public static SettingValue<string?> Pem(Func<string, Parsed<string?>> parse) => Single("FILE", "a readable PEM file", parse);

    public static SettingValue<TimeSpan> Duration(string least, string most) =>
        Single("TIME", Configuration.Duration.Accepts(least, most), Configuration.Duration.Between(least, most));

    public static SettingValue<int> Count(int least, int most) => Single(
        "COUNT",
        string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"),
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= least && count <= most
            ? Parsed<int>.Good(count)
            : Parsed<int>.Bad($"{QuotedText.Text(text)} is not such a number"));

    /// <param name="least">The smallest size, as people write it.</param>
    /// <param name="most">The largest size, as people write it.</param>
    public static SettingValue<long> Size(string least, string most) => Single(
        "SIZE",
        $"{least} to {most}, in bytes or with KiB or MiB",
        ByteSize.Between(ByteSize.Parse(least).Value, ByteSize.Parse(most).Value));
}
