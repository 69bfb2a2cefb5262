"""Rotations that really run and really fail, and the plans that are to mend them, carried out.

Usage: python tests/rotation_lab BINARY [fault ...]; with up to three faults by name, reports and commands are printed; a name
that several ways of a fault share stands for all of them. LAB_REPORTS=folder writes every report into a file of its own.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from rotation_lab.judge import main  # noqa: E402 - the folder above is needed for it

sys.exit(main())
