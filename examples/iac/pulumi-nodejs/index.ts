import * as pulumi from "@pulumi/pulumi";

/** A note outside: a file of a folder, or a document of a web server. */
class Note extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly content: pulumi.Output<unknown>;

  constructor(name: string, args: Record<string, unknown>, options?: pulumi.CustomResourceOptions) {
    super("notes:index:Note", name, { name: undefined, ...args }, options);
  }
}

const config = new pulumi.Config();

const note = new Note("greeting", {
  content: config.get("content") ?? "hello",
  delaySeconds: config.getNumber("delaySeconds"),
});

// A second one, so that a run can fail half-way: what came before it stays, and is in the outputs.
const refusal = config.get("refuse");
if (refusal !== undefined) new Note("refused", { content: "never", refuse: refusal }, { dependsOn: note });

export const noteName = note.name;
export const noteContent = note.content;
export const echo = config.getObject("echo");
export const text = config.get("text") ?? 'text with "quotes", ünïcode and\nlines';
export const integer = 123456789012;
export const fraction = 0.125;
export const flag = true;
export const list = [1, "two", [3], { four: 4 }];
export const object = { nested: { empty: {}, none: [] } };
export const nothing = null;
export const secret = config.getSecret("secret") ?? pulumi.secret("a secret by default");
