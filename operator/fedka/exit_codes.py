"""How processes of Fedka end: whoever restarts a pod decides by these numbers."""

OK = 0
FAILED = 1  # unexpected: restarting may help
RUN_FAILED = 3  # the run reached an end that was not its goal
DIFFERS = 4  # replay: what was recomputed is not what the log says
FENCED = 42  # a newer aggregator is at work: never restart this one
USAGE = 64  # the command line is wrong (EX_USAGE of sysexits)
CONFIG = 78  # what it was given cannot work, such as an app that cannot be loaded: restarting cannot help (EX_CONFIG)
INTERRUPTED = 130  # SIGINT or SIGTERM; not 0, or a drained node would make a participant's Job look complete

HOPELESS = frozenset({USAGE, CONFIG})  # the same command line and files would be wrong again
