"""The node with real processes. Tests wait for what the cluster shows or for what a process writes, never for time."""

import asyncio
import base64
import contextlib
import os
import signal
import stat
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.local.kubelet import Machine
from fedka.local.node import Node
from fedka.plan.pod_template import CODE_VOLUME, TEMPORARY_VOLUME
from fedka.reconcile.ports import JOB, POD

GENEROUS_SECONDS = 60
FAIL_ON_42 = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]}
WAIT_FOR_SIGNAL = "import signal; signal.pause()"
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="ties and the adoption of orphans are Linux's")


class Bench:
    """A cluster with a node, and ways to wait for what becomes of a Job."""

    def __init__(self, state_dir: Path, image_dir: Path, *, stop_seconds: float = 10) -> None:
        def clock() -> datetime:
            return datetime.now(UTC)

        self.state_dir = state_dir
        self.image_dir = image_dir
        self.cluster = InMemoryCluster(clock=clock, random=Random(1), admission=CrdAdmission())  # noqa: S311
        machine = Machine(
            state_dir=state_dir, image_dir=image_dir, environment=dict(os.environ), stop_seconds=stop_seconds
        )
        self.node = Node(self.cluster, machine, clock=clock, random=Random(2))  # noqa: S311  no secrets

    async def start(self, program: str, *, name: str = "work", container=None, pod=None, **spec: Any):
        """Create a Job that runs a Python program."""
        command = [sys.executable, "-u", "-c", textwrap.dedent(program)]
        containers = [{"name": "main", "image": "none", "command": command, **(container or {})}]
        template = {"spec": {"restartPolicy": "Never", "containers": containers, **(pod or {})}}
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"backoffLimit": 0, "template": template, **spec},
        }
        return await self.cluster.create(job, field_manager="test")

    async def suspend(self, suspend: bool, *, name: str = "work") -> None:
        partial = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "default"}}
        await self.cluster.apply(partial | {"spec": {"suspend": suspend}}, field_manager="test-suspend")

    async def until(self, condition):
        """Ask again at every change until the answer is something."""
        async with asyncio.timeout(GENEROUS_SECONDS), contextlib.aclosing(self.cluster.watch((JOB, POD))) as changes:
            async for _ in changes:
                if found := await condition():
                    return found
        raise AssertionError

    async def until_job_is(self, condition: str, *, name: str = "work"):
        async def reached():
            job = await self.cluster.get(JOB, "default", name)
            return next((each for each in _conditions(job) if each["type"] == condition), None)

        return await self.until(reached)

    async def until_pod_is(self, phase: str):
        async def reached():
            pods = await self.pods()
            return next((pod for pod in pods if pod.get("status", {}).get("phase") == phase), None)

        return await self.until(reached)

    async def pods(self):
        return await self.cluster.list(POD, namespace="default")

    def log(self, name: str = "work") -> str:
        return (self.state_dir / "logs" / f"{name}.log").read_text()


def _conditions(job):
    return [each for each in job.get("status", {}).get("conditions", ()) if each["status"] == "True"]


@pytest.fixture
async def bench(tmp_path):
    (tmp_path / "image").mkdir()
    bench = Bench(tmp_path / "state", tmp_path / "image")
    running = asyncio.create_task(bench.node.run())
    yield bench
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(running, GENEROUS_SECONDS)


@pytest.fixture
async def fifo(tmp_path):
    """A pipe by name through which a pod's process says where it has got to."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    keep_open = os.open(path, os.O_WRONLY)

    class Fifo:
        def __init__(self) -> None:
            self.path = path
            self.say = f"open({str(path)!r}, 'w').write"

        def hold(self, said: str) -> str:
            """A program that says so, and keeps the pipe open until it ends."""
            opened = f"pipe = open({str(self.path)!r}, 'w', buffering=1)"
            return f"import signal; {opened}; print({said!r}, file=pipe); [signal.pause() for _ in iter(int, 1)]"

        def hold_out_of_reach(self, said: str) -> str:
            """The same by a process that has left the pod's process group and lost its parent."""
            return textwrap.dedent(f"""
                import os, signal
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
                if os.fork() == 0:
                    os.setsid()
                    if os.fork():
                        os._exit(0)
                    exec({self.hold(said)!r})
                signal.pause()
            """)

        async def line(self) -> str:
            """What comes next; empty when nobody holds the other end any more."""
            loop, readable = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(reader, readable.set)
            try:
                await asyncio.wait_for(readable.wait(), GENEROUS_SECONDS)
            finally:
                loop.remove_reader(reader)
            return os.read(reader, 4096).decode().strip()

        def close_own_end(self):
            os.close(keep_open)

    yield Fifo()
    with contextlib.suppress(OSError):
        os.close(keep_open)
    os.close(reader)


async def test_a_program_that_succeeds_completes_its_job(bench):
    await bench.start("print('hello')")
    await bench.until_job_is("Complete")
    job = await bench.cluster.get(JOB, "default", "work")
    assert (job["status"]["succeeded"], job["status"]["active"]) == (1, 0)
    assert job["status"]["completionTime"]


async def test_a_pod_belongs_to_its_job_and_carries_the_templates_labels(bench):
    job = await bench.start("pass")
    await bench.until_job_is("Complete")
    (pod,) = await bench.pods()
    assert pod["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    assert pod["status"]["phase"] == "Succeeded"


async def test_a_failure_fails_the_job_and_says_why(bench):
    await bench.start(
        "import sys; print('out of luck'); sys.exit(3)",
        container={"terminationMessagePolicy": "FallbackToLogsOnError"},
    )
    failed = await bench.until_job_is("Failed")
    assert failed["reason"] == "BackoffLimitExceeded"
    (pod,) = await bench.pods()
    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["message"]) == (3, "out of luck\n")


async def test_a_long_message_is_cut_to_its_end(bench):
    await bench.start(
        "import sys; print('x' * 5000 + 'end'); sys.exit(1)",
        container={"terminationMessagePolicy": "FallbackToLogsOnError"},
    )
    await bench.until_job_is("Failed")
    (pod,) = await bench.pods()
    message = pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"]
    assert len(message) == 2048
    assert message.endswith("xend\n")


async def test_a_pod_failure_policy_names_the_exit_code(bench):
    await bench.start("import sys; sys.exit(42)", podFailurePolicy=FAIL_ON_42)
    failed = await bench.until_job_is("Failed")
    assert failed["reason"] == "PodFailurePolicy"
    assert "exit code 42 matching FailJob rule at index 0" in failed["message"]


async def test_a_job_with_a_backoff_limit_tries_again(bench):
    await bench.start("import sys; sys.exit(1)", backoffLimit=1)
    await bench.until_job_is("Failed")
    assert [pod["status"]["phase"] for pod in await bench.pods()] == ["Failed", "Failed"]


async def test_a_killed_process_counts_as_137(bench, fifo):
    await bench.start(f"import os, signal; {fifo.say}(str(os.getpid())); signal.pause()")
    os.kill(int(await fifo.line()), signal.SIGKILL)
    await bench.until_job_is("Failed")
    (pod,) = await bench.pods()
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


async def test_a_program_that_does_not_exist_fails_the_job(bench):
    await bench.start("", container={"command": ["/nowhere/program"]})
    await bench.until_job_is("Failed")
    assert "cannot execute '/nowhere/program'" in bench.log()


async def test_a_program_runs_in_the_image_directory(bench):
    await bench.start("import os; print('at', os.getcwd())")
    await bench.until_job_is("Complete")
    assert f"at {bench.image_dir}" in bench.log()


async def test_the_log_has_a_header_for_every_start(bench):
    await bench.start("print('once')")
    await bench.until_job_is("Complete")
    job = await bench.cluster.get(JOB, "default", "work")
    await bench.cluster.delete(JOB, "default", "work", uid=job["metadata"]["uid"])
    await bench.start("print('twice')")
    await bench.until_job_is("Complete")
    lines = bench.log().splitlines()
    assert [lines[1], lines[3]] == ["once", "twice"]
    assert all(line.startswith("--- ") and "work-" in line for line in (lines[0], lines[2]))


def bundled():
    """The parts of a Job that has the bundle mounted."""
    pod = {"volumes": [{"name": "bundle", "secret": {"secretName": "bundle"}}]}
    container = {
        "volumeMounts": [{"name": "bundle", "mountPath": "/etc/fedka"}],
        "env": [{"name": "FEDKA_BUNDLE", "value": "/etc/fedka"}, {"name": "MODE", "value": "test"}],
    }
    return {"pod": pod, "container": container}


async def create_secret(bench, name="bundle"):
    data = {"bundle.json": base64.b64encode(b'{"topics": 3}').decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"}, "data": data}
    await bench.cluster.create(secret, field_manager="test")


async def test_a_mounted_secret_is_found_through_the_environment(bench):
    await create_secret(bench)
    program = "import os, pathlib; print(pathlib.Path(os.environ['FEDKA_BUNDLE'], 'bundle.json').read_text())"
    await bench.start(program + "; print(os.environ['MODE'])", **bundled())
    await bench.until_job_is("Complete")
    assert bench.log().splitlines()[1:] == ['{"topics": 3}', "test"]


async def test_a_path_below_the_mount_is_rewritten_in_arguments(bench):
    await create_secret(bench)
    program = "import sys, pathlib; print(pathlib.Path(sys.argv[1]).read_text())"
    parts = bundled()
    parts["container"]["args"] = ["/etc/fedka/bundle.json"]
    await bench.start(program, **parts)
    await bench.until_job_is("Complete")
    assert bench.log().splitlines()[1:] == ['{"topics": 3}']


async def test_code_and_temporary_files_are_the_machines_own(bench):
    volumes = [{"name": CODE_VOLUME, "configMap": {"name": "code"}}, {"name": TEMPORARY_VOLUME, "emptyDir": {}}]
    mounts = [{"name": CODE_VOLUME, "mountPath": "/etc/fedka/code"}, {"name": TEMPORARY_VOLUME, "mountPath": "/tmp"}]
    container = {"volumeMounts": mounts, "env": [{"name": "DATA", "value": "/tmp/data"}]}
    await bench.start("import os; print(os.environ['DATA'])", pod={"volumes": volumes}, container=container)
    await bench.until_job_is("Complete")
    assert bench.log().splitlines()[1:] == ["/tmp/data"]


async def test_a_secret_on_disk_is_for_this_user_only(bench, fifo):
    await create_secret(bench)
    program = f"import os, signal; {fifo.say}(os.environ['FEDKA_BUNDLE']); signal.pause()"
    await bench.start(program, **bundled())
    directory = await fifo.line()
    assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700  # noqa: PTH116  Path would block the loop, says ruff
    assert stat.S_IMODE(os.stat(f"{directory}/bundle.json").st_mode) == 0o600  # noqa: PTH116  the same


async def test_a_secret_leaves_the_disk_with_its_pod(bench):
    await create_secret(bench)
    await bench.start("pass", **bundled())
    await bench.until_job_is("Complete")
    assert list((bench.state_dir / "pods").iterdir()) == []


async def test_bundles_of_a_killed_run_leave_the_disk_with_the_next(bench, tmp_path):
    left = tmp_path / "killed" / "pods" / "work-abcde" / "bundle"
    left.mkdir(parents=True)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Bench(tmp_path / "killed", tmp_path).node.run())
        await asyncio.sleep(0)
        running.cancel()
    assert not left.exists()


async def test_a_pod_waits_for_its_secret(bench):
    await bench.start("pass", **bundled())
    pod = await bench.until_pod_is("Pending")
    assert (
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"] == "Secret default/bundle does not exist"
    )
    await create_secret(bench)
    await bench.until_job_is("Complete")


async def test_what_only_a_real_node_has_fails_the_job(bench):
    await bench.start("pass", pod={"initContainers": [{"name": "first", "image": "none"}]})
    await bench.until_job_is("Failed")
    (pod,) = await bench.pods()
    assert pod["status"]["reason"] == "UnsupportedPod"
    assert "initContainers" in pod["status"]["message"]


async def test_a_variable_from_elsewhere_fails_the_job(bench):
    variable = {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    await bench.start("pass", container={"env": [variable]})
    await bench.until_job_is("Failed")
    (pod,) = await bench.pods()
    assert "NODE has a valueFrom" in pod["status"]["message"]


async def test_variables_from_elsewhere_fail_the_job(bench):
    await bench.start("pass", container={"envFrom": [{"configMapRef": {"name": "settings"}}]})
    await bench.until_job_is("Failed")
    (pod,) = await bench.pods()
    assert "has an envFrom" in pod["status"]["message"]


async def test_a_suspended_job_starts_nothing(bench):
    await bench.start("pass", suspend=True)
    await bench.until_job_is("Suspended")
    assert await bench.pods() == []


async def test_suspending_stops_the_process_and_resuming_starts_another(bench, fifo):
    await bench.start(f"""
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}})
        {fifo.say}("started")
        signal.sigwait({{signal.SIGTERM}})
        {fifo.say}("stopped")
    """)
    assert await fifo.line() == "started"
    await bench.suspend(True)
    assert await fifo.line() == "stopped"
    await bench.until_job_is("Suspended")
    await bench.suspend(False)
    assert await fifo.line() == "started"
    await bench.suspend(True)
    assert await fifo.line() == "stopped"


async def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(bench, fifo):
    await bench.start(
        f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {fifo.hold('on')}",
        pod={"terminationGracePeriodSeconds": 1},
    )
    assert await fifo.line() == "on"
    job = await bench.cluster.get(JOB, "default", "work")
    await bench.cluster.delete(JOB, "default", "work", uid=job["metadata"]["uid"])

    async def all_gone():
        return not await bench.pods()

    await bench.until(all_gone)


async def test_deleting_a_job_ends_its_process_and_its_pod(bench, fifo):
    await bench.start(fifo.hold("on"))
    assert await fifo.line() == "on"
    fifo.close_own_end()
    job = await bench.cluster.get(JOB, "default", "work")
    await bench.cluster.delete(JOB, "default", "work", uid=job["metadata"]["uid"])
    assert await fifo.line() == ""  # end of file: no process holds the pipe any more

    async def all_gone():
        return not await bench.pods()

    await bench.until(all_gone)


async def test_a_deadline_ends_a_job(bench):
    await bench.start(WAIT_FOR_SIGNAL, activeDeadlineSeconds=1)
    failed = await bench.until_job_is("Failed")
    assert failed["reason"] == "DeadlineExceeded"


async def test_a_deadline_set_later_ends_a_running_job(bench, fifo):
    """How the operator ends what hangs after a run's end."""
    await bench.start(f"{fifo.say}('on'); {WAIT_FOR_SIGNAL}")
    assert await fifo.line() == "on"
    partial = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work", "namespace": "default"}}
    await bench.cluster.apply(partial | {"spec": {"activeDeadlineSeconds": 1}}, field_manager="test-deadline")
    failed = await bench.until_job_is("Failed")
    assert failed["reason"] == "DeadlineExceeded"


async def test_what_a_pod_started_ends_with_it(bench, fifo, tmp_path):
    os.mkfifo(tmp_path / "go")
    await bench.start(f"""
        import os
        if os.fork() == 0:
            {fifo.hold("child")}
        os.read(os.open({str(tmp_path / "go")!r}, os.O_RDONLY), 1)
    """)
    assert await fifo.line() == "child"
    fifo.close_own_end()
    await asyncio.to_thread(Path.write_text, tmp_path / "go", "g")
    await bench.until_job_is("Complete")
    assert await fifo.line() == ""


async def test_processes_are_in_sessions_of_their_own(bench, fifo):
    """So that Ctrl-C in the terminal does not reach them before the run has stopped in order."""
    await bench.start(f"import os, signal; {fifo.say}(str(os.getsid(0) == os.getpid())); signal.pause()")
    assert await fifo.line() == "True"


async def test_two_jobs_run_side_by_side(bench, fifo):
    await bench.start(f"{fifo.say}('one'); {WAIT_FOR_SIGNAL}", name="one")
    assert await fifo.line() == "one"
    await bench.start(f"{fifo.say}('two'); {WAIT_FOR_SIGNAL}", name="two")
    assert await fifo.line() == "two"


@contextlib.asynccontextmanager
async def node_that_ends(bench, fifo):
    """A node whose pod the body starts; it is ended once the pod has said `on`, and has to take the pod with it."""
    running = asyncio.create_task(bench.node.run())
    yield
    assert await fifo.line() == "on"
    fifo.close_own_end()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, GENEROUS_SECONDS)
    assert await fifo.line() == ""


async def test_ending_the_node_ends_all_processes(tmp_path, fifo):
    bench = Bench(tmp_path / "state", tmp_path)
    async with node_that_ends(bench, fifo):
        await bench.start(fifo.hold("on"))


async def test_ending_the_node_kills_what_ignores_sigterm(tmp_path, fifo):
    bench = Bench(tmp_path / "state", tmp_path, stop_seconds=0.1)
    ignoring = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    async with node_that_ends(bench, fifo):
        await bench.start(f"{ignoring}; {fifo.hold('on')}", pod={"terminationGracePeriodSeconds": 3600})


@ON_LINUX
async def test_ending_the_node_kills_what_has_left_its_pods_process_group(tmp_path, fifo):
    bench = Bench(tmp_path / "state", tmp_path, stop_seconds=0.1)
    command = [sys.executable, "-m", "fedka.supervisor", sys.executable, "-c", fifo.hold_out_of_reach("on")]
    async with node_that_ends(bench, fifo):
        await bench.start("", container={"command": command}, pod={"terminationGracePeriodSeconds": 3600})


@ON_LINUX
async def test_a_killed_node_leaves_no_process_behind_however_far_down(tmp_path, fifo):
    """The node in a process of its own, its pod a supervisor, whose grandchild holds the pipe."""
    program = textwrap.dedent(f"""
        import asyncio, importlib.util, pathlib, sys
        spec = importlib.util.spec_from_file_location("bench", {__file__!r})
        bench = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(bench)
        async def main():
            there = pathlib.Path({str(tmp_path)!r})
            one = bench.Bench(there / "state", there)
            held = [sys.executable, "-c", {fifo.hold_out_of_reach("on")!r}]
            await one.start("", container={{"command": [sys.executable, "-m", "fedka.supervisor", *held]}})
            await one.node.run()
        asyncio.run(main())
    """)
    node = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await fifo.line() == "on"
    fifo.close_own_end()
    node.kill()
    await node.wait()
    assert await fifo.line() == ""
