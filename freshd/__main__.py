"""The command ``freshd``: argv in, exit status out."""

import sys


def main() -> None:
    """Run the command line of this process."""
    from freshd.cli.boundary import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
