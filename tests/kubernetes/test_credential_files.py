"""When the operator's own credentials have changed."""

import asyncio
from pathlib import Path

from fedka.kubernetes.credential_files import contents, until_changed

GENEROUS_SECONDS = 60


async def test_a_file_that_is_replaced_is_named_and_one_that_is_away_meanwhile_is_waited_for(tmp_path: Path):
    user, password, new = tmp_path / "username", tmp_path / "password", tmp_path / "new"
    user.write_text("fedka")
    password.write_text("first")
    new.write_text("second")
    looking = asyncio.create_task(until_changed(contents([user, password, tmp_path / "never"]), period=0.001))
    password.unlink()
    done, _ = await asyncio.wait([looking], timeout=0.1)
    assert not done
    new.rename(password)
    assert await asyncio.wait_for(looking, GENEROUS_SECONDS) == password
