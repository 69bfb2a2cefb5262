"""The worlds, a file for each group of causes. A world is a function that builds it and returns what an expert would say."""

from . import configuration, database, function, healthy, network, permission, state, unseen, variations, vpc

WORLDS = [
    build
    for group in (healthy, permission, network, database, function, state, configuration, unseen, variations, vpc)
    for name, build in vars(group).items()
    if callable(build) and getattr(build, "__module__", None) == group.__name__ and not name.startswith("_")
]
