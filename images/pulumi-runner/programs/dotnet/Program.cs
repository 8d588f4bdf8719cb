// An output: enough to show that .NET, its host and Pulumi work together without a network.
using Pulumi;

return await Deployment.RunAsync(() => new Dictionary<string, object?> { ["version"] = Environment.Version.ToString() });
