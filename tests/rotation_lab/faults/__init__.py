"""The faults, a file for each kind. A fault is a function that sets the world up, breaks it, lets the rotation fail and returns
what an expert would say; it may be tried with several engines, strategies and ways of logging."""

from . import account, function, rights, server, state, superuser, value
from .fault import Fault

FAULTS: list[Fault] = [fault for group in (value, account, rights, server, state, superuser, function) for fault in group.FAULTS]
