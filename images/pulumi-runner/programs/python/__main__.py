"""A component and an output: enough to show that Python, its host and Pulumi work together without a network."""

import platform

import pulumi

pulumi.ComponentResource("check:index:Checked", "checked")
pulumi.export("version", platform.python_version())
