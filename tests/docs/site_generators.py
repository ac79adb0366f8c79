"""The generators of docs/, which is a folder of the site and no package of ours."""

import sys

from .pages import ROOT

sys.path.append(str(ROOT / "docs"))

from generators import command_reference, record_reference, training_reference

__all__ = ["command_reference", "record_reference", "training_reference"]
