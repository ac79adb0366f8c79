"""A training on this machine, as the commands that show one see it: in the state directory that `fedka run` gave it."""

import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fedka.api.reasons import ENDS
from fedka.api.training import FederatedTraining
from fedka.cli.interruption import interrupted
from fedka.cli.local_pods import LocalPods
from fedka.cli.source import NoSuchTraining, ReaderUnavailable, RunReader
from fedka.local.invocation import Invocation, read_invocation, shown
from fedka.local.news import News
from fedka.local.saved import SavedTraining
from fedka.local.state_dir import BUNDLES, LOGS, TRAINING_FILE, is_run
from fedka.plan.snapshot import PodView

Say = Callable[[str], None]


class LocalSource:
    """A `Source` on a state directory; also its own `Hints`. `named`: whether the user named the directory."""

    def __init__(self, directory: Path, name: str, *, named: bool, news: News, say: Say) -> None:
        self._directory = directory
        self._name = name
        self._named = named
        self._news = news
        self._say = say
        self._saved = SavedTraining(directory / TRAINING_FILE)
        self._pods = LocalPods(directory / LOGS)

    @property
    def hints(self) -> "LocalSource":
        """See `Source`."""
        return self

    @property
    def sees_audit(self) -> bool:
        """See `Source`."""
        return True

    def command(self, verb: str, *arguments: str) -> str:
        """See `Hints`. To resume a run on this machine is to run it again, and a bundle is a directory here."""
        if verb == "resume":
            return self._again()
        if verb == "bundle":
            return shlex.join(
                ["fedka", "participant", "--bundle", str(shown(self._directory / BUNDLES / arguments[0]))]
            )
        where = ["--state-dir", str(shown(self._directory))] if self._named else []
        return shlex.join(["fedka", *verb.split(), self._name, *arguments, *where])

    async def training(self) -> FederatedTraining:
        """See `Source`. Waits for a run that is just beginning."""
        if (found := self._read()) is not None:
            return found
        self._say(f"the run in {shown(self._directory)} is just beginning")
        async with aclosing(self._news.looks()) as looks:
            async for _running in looks:
                if (found := self._read()) is not None:
                    return found
        raise NoSuchTraining(f"the run in {shown(self._directory)} has ended before it had begun")

    async def changes(self) -> AsyncGenerator[FederatedTraining | None, None]:
        """See `Source`. Ends with the run's process, also where the run itself has not ended."""
        told: FederatedTraining | None = None
        async with aclosing(self._news.looks()) as looks:
            async for _running in looks:
                if not self._directory.is_dir():
                    yield None
                    return
                found = self._read()
                if found is not None and found != told:
                    told = found
                    yield found

    async def pods(self) -> Sequence[PodView]:
        """See `Source`."""
        return self._pods.views(await self.training(), running=is_run(self._directory))

    async def pod_changes(self) -> AsyncGenerator[PodView, None]:
        """See `Source`. Ends with the run's process."""
        seen: set[str] = set()
        async with aclosing(self._news.looks()) as looks:
            async for running in looks:
                for pod in self._pods.views(await self.training(), running=running):
                    if pod.uid not in seen:
                        seen.add(pod.uid)
                        yield pod

    async def log(self, pod: str, *, follow: bool, tail: int | None) -> AsyncGenerator[str, None]:
        """See `Source`."""
        reader = self._pods.reader(pod, tail)
        async with aclosing(self._news.looks()) as looks:
            async for running in looks:
                last = not running or not follow
                for line in reader.lines(last=last):
                    yield line
                if last or reader.over:
                    return

    def reader(self, bootstrap_servers: str | None = None) -> AbstractAsyncContextManager[RunReader]:
        """See `Source`: the live Kafka, or one that is started on the run's data."""
        return self._reader(bootstrap_servers)

    @asynccontextmanager
    async def _reader(self, bootstrap_servers: str | None) -> AsyncIterator[RunReader]:
        from fedka.kafka.access import client_settings  # noqa: PLC0415  a status does without Kafka
        from fedka.local.read_kafka import kafka_of  # noqa: PLC0415  the same
        from fedka.wire.bundle import KafkaAccess  # noqa: PLC0415  the same
        from fedka.wire.names import RunTopics  # noqa: PLC0415  the same

        status = (await self.training()).status
        if status is None or status.kafka_id is None:
            raise ReaderUnavailable(f"the run in {shown(self._directory)} has nothing in Kafka yet")
        async with AsyncExitStack() as stack:
            servers = bootstrap_servers or await stack.enter_async_context(kafka_of(self._directory, self._say))
            settings = client_settings(KafkaAccess(bootstrap_servers=servers))
            yield RunReader(settings, RunTopics(run=status.kafka_id), "the user of this machine")

    def _read(self) -> FederatedTraining | None:
        """The training as it was last written; one that nobody runs any more says so."""
        running = is_run(self._directory)
        saved = self._saved.load()  # after the look: what a run wrote last is read
        if saved is None:
            return None
        training = FederatedTraining.from_object(saved)
        phase = training.status.phase if training.status is not None else None
        if running or phase in ENDS:
            return training
        written = datetime.fromtimestamp((self._directory / TRAINING_FILE).stat().st_mtime, UTC)
        return interrupted(training, at=written, again=self._again())

    def _again(self) -> str:
        kept = read_invocation(self._directory) or Invocation(self._name, "FILE")
        return kept.command(self._directory)


@asynccontextmanager
async def local_source(directory: Path, name: str, *, named: bool, say: Say) -> AsyncIterator[LocalSource]:
    """The source, for as long as the body follows it."""
    async with News(directory) as news:
        yield LocalSource(directory, name, named=named, news=news, say=say)
