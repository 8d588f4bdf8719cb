// A note, and outputs of every type of JSON.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// note is a note outside: a file of a folder, or a document of a web server.
type note struct {
	pulumi.CustomResourceState
	Name    pulumi.StringOutput `pulumi:"name"`
	Content pulumi.AnyOutput    `pulumi:"content"`
}

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		inputs := pulumi.Map{"content": pulumi.String(orElse(settings.Get("content"), "hello"))}
		if delay := settings.GetFloat64("delaySeconds"); delay > 0 {
			inputs["delaySeconds"] = pulumi.Float64(delay)
		}
		var greeting note
		if err := ctx.RegisterResource("notes:index:Note", "greeting", inputs, &greeting); err != nil {
			return err
		}
		// A second one, so that a run can fail half-way: what came before it stays, and is in the outputs.
		if refusal := settings.Get("refuse"); refusal != "" {
			inputs := pulumi.Map{"content": pulumi.String("never"), "refuse": pulumi.String(refusal)}
			var refused note
			after := pulumi.DependsOn([]pulumi.Resource{&greeting})
			if err := ctx.RegisterResource("notes:index:Note", "refused", inputs, &refused, after); err != nil {
				return err
			}
		}
		var echo any
		if err := settings.GetObject("echo", &echo); err != nil {
			return err
		}
		secret := settings.GetSecret("secret")
		if _, err := settings.Try("secret"); err != nil {
			secret = pulumi.ToSecret(pulumi.String("a secret by default")).(pulumi.StringOutput)
		}
		for name, value := range map[string]pulumi.Input{
			"noteName":    greeting.Name,
			"noteContent": greeting.Content,
			"echo":        pulumi.Any(echo),
			"text":        pulumi.String(orElse(settings.Get("text"), "text with \"quotes\", ünïcode and\nlines")),
			"integer":     pulumi.Float64(123456789012),
			"fraction":    pulumi.Float64(0.125),
			"flag":        pulumi.Bool(true),
			"list":        pulumi.Any([]any{1, "two", []any{3}, map[string]any{"four": 4}}),
			"object":      pulumi.Any(map[string]any{"nested": map[string]any{"empty": map[string]any{}, "none": []any{}}}),
			"nothing":     pulumi.Any(nil),
			"secret":      secret,
		} {
			ctx.Export(name, value)
		}
		return nil
	})
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
