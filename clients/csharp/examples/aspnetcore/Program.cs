// A web API that also exposes its prices to Genkit's tools.
using System.ComponentModel;
using Genkit.Sidecar.Client;
using Microsoft.AspNetCore.Mvc;

var application = new Application("shop");
application.Flow("price", [Description("Returns the price of a product.")] (Product product, [FromServices] Prices prices) => new { price = prices.Of(product.Name) });

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddScoped<Prices>();
builder.Services.AddGenkit(application);

var app = builder.Build();
app.MapGet("/prices/{name}", (string name, Prices prices) => prices.Of(name));
app.MapGenkit();
app.Run();

internal sealed record Product(string Name);

internal sealed class Prices
{
    private readonly Dictionary<string, int> _prices = new() { ["tea"] = 30, ["coffee"] = 60 };

    public int Of(string name) => _prices.GetValueOrDefault(name);
}
