"""Command line of `make deploy` and `make destroy`."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from mwaa.checks import CheckError
from mwaa.deploy import HalfwayError, NotWantedError, deploy, destroy
from mwaa.terraform import TerraformError

_COMMANDS = {
    "deploy": (
        deploy,
        "Bring AWS and Airflow to what this working copy holds, after a look at the plan.",
    ),
    "destroy": (destroy, "Take away everything that deploy has made."),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0, or 1 when it was refused, failed or not wanted.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    command, _ = _COMMANDS[options.command]
    try:
        command(options.environment, console, ask=not options.yes)
    except (TerraformError, CheckError) as error:
        console.print(f"make {options.command}: nothing was changed. {error}", markup=False)
        return 1
    except HalfwayError as error:
        console.print(f"make {options.command}: {error}", markup=False)
        return 1
    except NotWantedError:
        console.print("Nothing was changed.")
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped. Nothing was changed.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mwaa", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, what) in _COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument(
            "environment", help="a file of include/terraform/environments without .tfvars, for example dev"
        )
        command.add_argument("--yes", action="store_true", help="do not ask, for CI")
    return parser


if __name__ == "__main__":
    sys.exit(main())
