"""The command ``freshd``: argv in, exit status out."""

import gc
import sys

# A look makes objects by the hundred thousand and hardly a cycle: looking for cycles after every
# 700 of them, as is the default, took a quarter of its time.
_OBJECTS_PER_COLLECTION = 50_000


def main() -> None:
    """Run the command line of this process."""
    from freshd.cli.boundary import run

    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
