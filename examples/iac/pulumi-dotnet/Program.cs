// Outputs of every type of JSON.
using System.Text.Json;
using Pulumi;

return await Deployment.RunAsync(() =>
{
    var config = new Config();
    return new Dictionary<string, object?>
    {
        ["echo"] = config.GetObject<JsonElement?>("echo"),
        ["text"] = config.Get("text") ?? "text with \"quotes\", ünïcode and\nlines",
        ["integer"] = 123456789012,
        ["fraction"] = 0.125,
        ["flag"] = true,
        ["list"] = new object[] { 1, "two", new[] { 3 } },
        ["object"] = new Dictionary<string, object> { ["nested"] = new Dictionary<string, object>() },
        ["nothing"] = null,
        ["secret"] = config.GetSecret("secret") ?? Output.CreateSecret("a secret by default"),
    };
});
