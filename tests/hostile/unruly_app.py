"""An app that does whatever an app can do wrong, by the name of its participant; run by `test_apps.py`.

Whoever trains well adds 1 to every weight, so that the global model is the number of the round.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

import fedka

ME = json.loads(Path(os.environ["FEDKA_BUNDLE"], "bundle.json").read_text())["participant"]
WEIGHTS = 1000
app = fedka.App()

if ME == "unloadable":
    sys.exit(0)


@app.model
def model(context):
    return {"weights": np.zeros(WEIGHTS, np.float32)}


@app.examples
def examples(context):
    return 10


@app.train
def train(model, context):
    if ME == "rubbish":
        return RUBBISH[context.round - 1](model)
    if ME == "reshaper":
        model["weights"] = np.zeros((WEIGHTS, 2), np.float32)
    if ME == "rude":
        rude(context)
    if ME == "mortal":
        die(context)
    if ME == "hanging":
        hang()
    return done(model)


@app.evaluate
def evaluate(model, context):
    if ME == "rubbish":
        return [None, 0.5, "good", {"accuracy": 1.0}][context.round % 4]
    return fedka.Evaluated(examples=10, metrics={"mean": float(model["weights"].mean())})


def done(model):
    model["weights"] += 1
    return fedka.Trained(examples=10, metrics={"loss": 0.5})


def raises(error):
    def train(_model):
        raise error

    return train


def fills(value):
    def train(model):
        model["weights"].fill(value)
        return fedka.Trained(examples=10)

    return train


def eats_memory(_model):
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, most))
    try:
        return [bytearray(2**29) for _ in range(16)]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def loses_weights(model):
    model.clear()
    return fedka.Trained(examples=10)


RUBBISH = [
    raises(ValueError("bad row\n\x1b[2Jforged line")),
    raises(SystemExit(0)),
    raises(KeyboardInterrupt()),
    lambda _model: None,
    lambda _model: {"loss": 0.5},
    lambda _model: fedka.Trained(examples=2**40),
    lambda _model: fedka.Trained(examples=10, metrics={"loss": float("nan")}),
    fills(np.nan),
    fills(2.0**20),
    eats_memory,
    lambda _model: np.zeros(2**50),
    loses_weights,
]
"""What `rubbish` does in rounds 1, 2, ...; the last breaks its model for good."""


def rude(context):
    """Nothing of this is wrong for the participant: its updates count."""
    if context.round == 1:
        wait_for_the_test(context.config["before"])
        talk(int(context.config["printed"]))
        wait_for_the_test(context.config["after"])
    elif context.round == 2:
        subprocess.Popen(["sleep", "86400"], start_new_session=True)  # it keeps our stdout open, too
        if os.fork() == 0:
            os.setsid()
            time.sleep(86400)
    elif context.round == 3:
        os.fork()  # and both go on
    elif context.round == 4:
        sys.stdout.close()
        sys.stderr.close()
        os.close(1)
        os.close(2)
    elif context.round == 5:
        os.chdir("/")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        threading.Thread(target=threading.Event().wait).start()


def wait_for_the_test(fifo):
    """Until it has opened and closed the other end."""
    Path(fifo).read_bytes()


def talk(size):
    """So many bytes in lines, and as many in one that does not end."""
    line = "x" * 999
    for end in ("\n", "x"):
        for _ in range(size // 1000):
            print(line, end=end)  # noqa: T201  it is what this participant is for
    sys.stdout.flush()


def die(context):
    """In round 1, each time in another way; what has been tried is kept in the directory that outlives a process."""
    marks = context.state_dir / "deaths"
    deaths = int(marks.read_text()) if marks.exists() else 0
    if context.round > 1 or deaths >= len(DEATHS):
        return
    marks.write_text(str(deaths + 1))
    DEATHS[deaths]()


DEATHS = [
    lambda: os._exit(0),
    lambda: os._exit(5),
    lambda: ctypes.string_at(0),
    lambda: os.kill(os.getpid(), signal.SIGKILL),
    os.abort,
]


def hang():
    """In a C function, deaf to SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    ctypes.CDLL(None).sleep(86400)
