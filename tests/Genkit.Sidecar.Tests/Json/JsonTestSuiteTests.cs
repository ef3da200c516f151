using System.Text.Json;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Json;

/// <summary>Every file of JSONTestSuite, in one segment and in several.</summary>
public class JsonTestSuiteTests
{
    /// <summary>
    /// The cases that the suite leaves to the parser. Numbers of any size pass, because nothing converts them. Lone surrogates pass where they
    /// are escaped, as in JSON.parse. Anything but UTF-8 without a byte order mark is refused, because a text frame cannot carry it.
    /// </summary>
    private static readonly Dictionary<string, bool> s_leftToTheParser = new()
    {
        ["i_number_double_huge_neg_exp"] = true,
        ["i_number_huge_exp"] = true,
        ["i_number_neg_int_huge_exp"] = true,
        ["i_number_pos_double_huge_exp"] = true,
        ["i_number_real_neg_overflow"] = true,
        ["i_number_real_pos_overflow"] = true,
        ["i_number_real_underflow"] = true,
        ["i_number_too_big_neg_int"] = true,
        ["i_number_too_big_pos_int"] = true,
        ["i_number_very_big_negative_int"] = true,
        ["i_object_key_lone_2nd_surrogate"] = true,
        ["i_string_1st_surrogate_but_2nd_missing"] = true,
        ["i_string_1st_valid_surrogate_2nd_invalid"] = true,
        ["i_string_UTF-16LE_with_BOM"] = false,
        ["i_string_UTF-8_invalid_sequence"] = false,
        ["i_string_UTF8_surrogate_U+D800"] = false,
        ["i_string_incomplete_surrogate_and_escape_valid"] = true,
        ["i_string_incomplete_surrogate_pair"] = true,
        ["i_string_incomplete_surrogates_escape_valid"] = true,
        ["i_string_invalid_lonely_surrogate"] = true,
        ["i_string_invalid_surrogate"] = true,
        ["i_string_invalid_utf-8"] = false,
        ["i_string_inverted_surrogates_U+1D11E"] = true,
        ["i_string_iso_latin_1"] = false,
        ["i_string_lone_second_surrogate"] = true,
        ["i_string_lone_utf8_continuation_byte"] = false,
        ["i_string_not_in_unicode_range"] = false,
        ["i_string_overlong_sequence_2_bytes"] = false,
        ["i_string_overlong_sequence_6_bytes"] = false,
        ["i_string_overlong_sequence_6_bytes_null"] = false,
        ["i_string_truncated-utf-8"] = false,
        ["i_string_utf16BE_no_BOM"] = false,
        ["i_string_utf16LE_no_BOM"] = false,
        ["i_structure_500_nested_arrays"] = true,
        ["i_structure_UTF-8_BOM_empty_object"] = false,
    };

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(TestData.JsonTestSuite).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Suite_Data_IsComplete()
    {
        var names = Directory.GetFiles(TestData.JsonTestSuite).Select(Path.GetFileNameWithoutExtension).ToList();

        Assert.Equal(95, names.Count(name => name!.StartsWith("y_", StringComparison.Ordinal)));
        Assert.Equal(188, names.Count(name => name!.StartsWith("n_", StringComparison.Ordinal)));
        Assert.Equal(s_leftToTheParser.Keys.Order(), names.Where(name => name!.StartsWith("i_", StringComparison.Ordinal)).Order());
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void FindDefect_FileOfTheSuite_HasTheSuitesVerdictHoweverItIsCut(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(TestData.JsonTestSuite, name + ".json"));
        var expected = name[0] == 'y' || (name[0] == 'i' && s_leftToTheParser[name]);

        var defect = JsonPayload.FindDefect(bytes, out var root);

        Assert.Equal(expected, defect is null);
        Assert.Equal(expected, root != JsonTokenType.None);
        foreach (var size in (int[])[1, 2, 3, 7])
        {
            Assert.Equal(expected, JsonPayload.FindDefect(Sequences.Every(size, bytes), out var cutRoot) is null);
            Assert.Equal(root, cutRoot);
        }
    }
}
