"""`gongbu`, and `python -m server`: hands over to the command that was named."""

from __future__ import annotations

import sys

from server.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
