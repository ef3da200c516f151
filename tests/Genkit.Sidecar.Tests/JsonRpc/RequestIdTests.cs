using System.Text;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Tests.JsonRpc;

public class RequestIdTests
{
    [Theory]
    [InlineData("\"1\"", true, "1", 1L)]
    [InlineData("1", false, "1", 1L)]
    [InlineData("-5", false, "-5", -5L)]
    [InlineData("9223372036854775807", false, "9223372036854775807", long.MaxValue)]
    [InlineData("9223372036854775808", false, "9223372036854775808", null)]
    [InlineData("1.0", false, "1.0", null)]
    [InlineData("1e3", false, "1e3", null)]
    [InlineData("\"\"", true, "", null)]
    [InlineData("\"raw-1\"", true, "raw-1", null)]
    [InlineData("\"1 \"", true, "1 ", null)]
    [InlineData("\"a\\\"b\\u00e9\\n\"", true, "a\"bé\n", null)]
    [InlineData("\"\\ud83d\\ude00\"", true, "😀", null)]
    [InlineData("\"\\ud800\"", true, "\"\\ud800\"", null)]
    public void RequestId_Token_HasTextAndNumber(string token, bool isString, string text, long? number)
    {
        var id = new RequestId(Encoding.UTF8.GetBytes(token));

        Assert.Equal(token, Encoding.UTF8.GetString(id.Token));
        Assert.Equal(isString, id.IsString);
        Assert.Equal(text, id.Text);
        Assert.Equal(text, id.ToString());
        Assert.Equal(number, id.Number);
    }
}
