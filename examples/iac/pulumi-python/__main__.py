"""A note, and outputs of every type of JSON."""

import pulumi


class Note(pulumi.CustomResource):
    """A note outside: a file of a folder, or a document of a web server."""

    name: pulumi.Output[str]
    content: pulumi.Output[object]

    def __init__(self, resource_name, args, opts=None):
        super().__init__("notes:index:Note", resource_name, {"name": None, **args}, opts)


config = pulumi.Config()

note = Note("greeting", {"content": config.get("content") or "hello", "delaySeconds": config.get_float("delaySeconds")})

# A second one, so that a run can fail half-way: what came before it stays, and is in the outputs.
refusal = config.get("refuse")
if refusal is not None:
    Note("refused", {"content": "never", "refuse": refusal}, pulumi.ResourceOptions(depends_on=[note]))

pulumi.export("noteName", note.name)
pulumi.export("noteContent", note.content)
pulumi.export("echo", config.get_object("echo"))
pulumi.export("text", config.get("text") or 'text with "quotes", ünïcode and\nlines')
pulumi.export("integer", 123456789012)
pulumi.export("fraction", 0.125)
pulumi.export("flag", True)
pulumi.export("list", [1, "two", [3], {"four": 4}])
pulumi.export("object", {"nested": {"empty": {}, "none": []}})
pulumi.export("nothing", None)
pulumi.export("secret", config.get_secret("secret") or pulumi.Output.secret("a secret by default"))
