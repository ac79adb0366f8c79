"""`fedka bundle`."""

import json
import stat

import pytest

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.handover import hand_over
from fedka.cli.source import ReaderUnavailable
from fedka.plan.snapshot import Role
from fedka.wire.bundle_file import read_files

from .clusters import Shop

FILES = {"bundle.json": b"{}", "password": b"secret"}
PARTICIPANTS = [{"name": "bank-a"}, {"name": "bank-b", "mode": "External"}]


async def shop_with_bundle() -> Shop:
    shop = Shop()
    made = await shop.submit(participants=PARTICIPANTS)
    for who in ("bank-a", "bank-b"):
        await shop.secret(made, Role.PARTICIPANT, FILES, who)
    return shop


async def test_file_holds_the_bundle_for_its_owner_only(tmp_path, capsys):
    file = tmp_path / "b.json"
    await hand_over((await shop_with_bundle()).source(), "bank-b", str(file), force=False)
    assert read_files(file) == FILES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "fedka join --bundle b.json" in capsys.readouterr().err


async def test_what_the_others_are_configured_with_is_said(tmp_path, capsys):
    shop = Shop()
    app = {"entrypoint": "tiny:app", "config": {"steps": "5", "note": "two words"}}
    made = await shop.submit(participants=PARTICIPANTS, app=app)
    await shop.secret(made, Role.PARTICIPANT, FILES, "bank-b")
    await hand_over(shop.source(), "bank-b", str(tmp_path / "b.json"), force=False)
    assert "--config steps=5 --config 'note=two words'" in capsys.readouterr().err


async def test_stdout_holds_nothing_else(capsys):
    await hand_over((await shop_with_bundle()).source(), "bank-b", "-", force=False)
    assert json.loads(capsys.readouterr().out)["fedkaBundle"] == 1


async def test_managed_one_is_given_away_by_force_only(tmp_path):
    shop = await shop_with_bundle()
    with pytest.raises(CommandFailed, match="bank-a is Managed: its pod uses this identity"):
        await hand_over(shop.source(), "bank-a", str(tmp_path / "a"), force=False)
    await hand_over(shop.source(), "bank-a", str(tmp_path / "a"), force=True)
    assert read_files(tmp_path / "a") == FILES


@pytest.mark.parametrize(("place", "why"), [("missing/b.json", "there is no directory"), (".", "is a directory")])
async def test_place_that_takes_no_file_is_said(tmp_path, place, why):
    with pytest.raises(CommandFailed, match=why) as failed:
        await hand_over((await shop_with_bundle()).source(), "bank-b", str(tmp_path / place), force=False)
    assert failed.value.code == exit_codes.USAGE


async def test_unknown_participant_lists_those_outside(tmp_path):
    with pytest.raises(CommandFailed, match="no participant bank-x; the External ones are: bank-b"):
        await hand_over((await shop_with_bundle()).source(), "bank-x", str(tmp_path / "a"), force=False)


async def test_bundle_that_is_not_made_yet_says_what_makes_it(tmp_path):
    shop = Shop()
    await shop.submit(participants=PARTICIPANTS)
    await shop.report({"phase": "Provisioning"})
    with pytest.raises(ReaderUnavailable, match=r"the operator makes it when the run is provisioned.* is Provisioning"):
        await hand_over(shop.source(), "bank-b", str(tmp_path / "b"), force=False)
    assert list(tmp_path.iterdir()) == []
