"""Runs a Pulumi program as the host's own launcher does: settings from the environment, then the program as __main__."""

import asyncio
import os
import runpy
import sys
import traceback

import pulumi
import pulumi.runtime

AFTER_MESSAGE = 32


def settings():
    env = os.environ.get
    return pulumi.runtime.Settings(
        monitor=env("PULUMI_MONITOR"),
        engine=env("PULUMI_ENGINE"),
        project=env("PULUMI_PROJECT"),
        stack=env("PULUMI_STACK"),
        parallel=int(env("PULUMI_PARALLEL", "0")),
        dry_run=env("PULUMI_DRY_RUN") == "true",
        organization=env("PULUMI_ORGANIZATION"),
        root_directory=env("PULUMI_ROOT_DIRECTORY"),
    )


def main(program):
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(settings())
    sys.argv = [program]
    sys.path.insert(0, program if os.path.isdir(program) else os.path.dirname(program))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: runpy.run_path(program, run_name="__main__")))
        return 0
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except Exception:
        pulumi.log.error("Program failed with an unhandled exception:\n" + traceback.format_exc())
    finally:
        loop.close()
    return AFTER_MESSAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
