"""Greets by the parameter `name`, and leaves the greeting as an artifact. The least that a job of Python does."""

import argparse
import os
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--name", default="world")
greeting = f"Hello, {parser.parse_args().name}."

pathlib.Path(os.environ["ARTIFACTS_DIR"], "greeting.txt").write_text(f"{greeting}\n", encoding="utf-8")
print(greeting)
