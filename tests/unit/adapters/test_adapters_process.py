"""Settings files, exit statuses and the loop that lives on: what an operator meets."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.adapters.contract import Batch, Health, Parts
from hub.adapters.edge_settings import ConnectorSettings, load_connector
from hub.adapters.edge_signer import load_key
from hub.adapters.edge_trust import LOOK_EVERY, EdgeTrust
from hub.adapters.inbound import HOPELESS_AFTER
from hub.adapters.runner import Runner, alone, main_for
from hub.codes import AgencyCode
from hub.errors import (
    BrokerUnavailable,
    ConfigInvalid,
    ConnectorRunning,
    NotInDate,
    StoreUnavailable,
    Unregistered,
)
from hub.settings import load
from hub.store import directory
from hub.store.engine import Store
from hub.store.rows import CertificateRow, RepresentsRow
from hub.testing.pki import build
from hub.testing.world import DEPARTMENT, HUB, sample_rows

GOOD = f'[connector]\nkind = "x"\nagency = "{DEPARTMENT}"\n'
BAD = {
    "not TOML": ("= =", "-"),
    "no connector": ("[options]\na = 1\n", "connector"),
    "no kind": (f'[connector]\nagency = "{DEPARTMENT}"\n', "connector.kind"),
    "unknown key": (GOOD + "pol_s = 3\n", "connector.pol_s"),
    "unknown table": (GOOD + "[option]\na = 1\n", "option"),
    "wrong interval": (GOOD + "poll_s = 0\n", "connector.poll_s"),
    "not a code": ('[connector]\nkind = "x"\nagency = "sở"\n', "connector.agency"),
    "not UTF-8": (b"[connector]\nkind = '\xff'\n", "-"),
}


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a store and the department's certificate registered; no broker."""
    home = tmp_path_factory.mktemp("home")
    codes = [AgencyCode.parse(code) for code in (DEPARTMENT, HUB)]
    build(home, codes, now=datetime.now(UTC), hub_code=codes[-1])
    (home / "hub.toml").write_text(f'[hub]\ncode = "{HUB}"\n', "utf-8")
    (home / "connectors").mkdir()
    settings = load(home, {})
    store = Store.open(settings.store_url, create=True)
    key, now = load_key(settings, codes[0]), datetime.now(UTC)
    directory.replace_agencies(store, sample_rows(), actor="test", at=now)
    begins = key.certificate.not_valid_before_utc
    row = CertificateRow(key.certificate_sha256, DEPARTMENT, key.certificate_der, begins)
    directory.add_certificate(store, row, "test", now)
    store.close()
    return home


@pytest.fixture
def home(tmp_path: Path, whole: Path) -> Path:
    """A copy that the test may harm."""
    return Path(shutil.copytree(whole, tmp_path / "home"))


def write(home: Path, text: str | bytes, name: str = "c") -> Path:
    file = home / "connectors" / f"{name}.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


class Idle:
    """A partner without anything to say."""

    def poll(self, checkpoint: str | None, limit: int) -> Batch:
        return Batch((), "")

    def probe(self) -> Health:
        return Health(ok=True)


def never(settings: ConnectorSettings) -> Parts:
    raise AssertionError("not reached")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_settings_file_is_one_sentence_with_file_and_key(home, name, capsys):
    """Exit 2, in the language asked for, never a traceback; no part of the connector is made."""
    text, key = BAD[name]
    file = write(home, text)
    with pytest.raises(ConfigInvalid) as raised:
        load_connector(load(home, {}), "c")
    assert raised.value.facts["key"] == key
    for lang, word in (("vi", "Thiết lập"), ("en", "The setting")):
        assert main_for(never, ["--home", str(home), "--name", "c", "--lang", lang]) == 2
        said = capsys.readouterr().err
        assert word in said
        assert str(file) in said
        assert "Traceback" not in said


def test_an_agency_has_one_connector(home):
    """Two on one inbox would refuse each other's messages: the second file is refused."""
    write(home, GOOD, "first")
    write(home, GOOD.lower(), "second")
    with pytest.raises(ConfigInvalid, match=r"first\.toml"):
        load_connector(load(home, {}), "second")
    write(home, "= =", "first")
    assert load_connector(load(home, {}), "second").agency == AgencyCode.parse(DEPARTMENT)


def test_wrong_options_name_the_settings_file(home, capsys):
    """What the connector's own check says is told with the file that the operator can edit."""

    def factory(settings: ConnectorSettings) -> Parts:
        raise ConfigInvalid(file=settings.kind, key="database", reason="missing")

    file = write(home, GOOD)
    assert main_for(factory, ["--home", str(home), "--name", "c", "--lang", "en"]) == 2
    assert f"options.database in {file}" in capsys.readouterr().err


FAILING: dict[str, tuple[Callable[[Path], None], int]] = {
    "no home": (shutil.rmtree, 2),
    "no settings": (lambda home: (home / "connectors" / "c.toml").unlink(), 2),
    "no key": (lambda home: shutil.rmtree(home / "pki" / "agencies"), 2),
    "no store": (lambda home: (home / "hub.sqlite").unlink(), 1),
    "no anchors": (lambda home: shutil.rmtree(home / "pki" / "anchors"), 1),
    "a bad anchor": (lambda home: (home / "pki" / "anchors" / "x.pem").write_text("x"), 2),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_home_that_lacks_something_ends_the_start_with_one_sentence(home, name, capsys):
    """Configuration exits 2, what may pass by itself exits 1; both in one sentence."""
    write(home, GOOD)
    harm, status = FAILING[name]
    harm(home)
    idle = Idle()
    arguments = ["--home", str(home), "--name", "c"]
    assert main_for(lambda _settings: Parts(idle, idle), arguments) == status
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("c: ")]
    assert len(said) == 1


def test_a_factory_that_fails_in_an_unknown_way_is_one_sentence(home, capsys):
    """Kind and place of the exception are told, not its words."""
    write(home, GOOD)

    def factory(settings: ConnectorSettings) -> Parts:
        raise RuntimeError("password=abc")

    assert main_for(factory, ["--home", str(home), "--name", "c", "--lang", "en"]) == 1
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert "abc" not in said
    assert "Traceback" not in said


def test_wrong_usage_exits_2(capsys):
    """The command line's own faults are usage errors."""
    assert main_for(never, ["--nonsense"]) == 2
    assert main_for(never, ["--help"]) == 0
    capsys.readouterr()


def test_the_lock_is_free_again_after_the_holder(home):
    """One process at a time; the second is told, and may come when the first has gone."""
    write(home, GOOD)
    own = load_connector(load(home, {}), "c")
    with alone(own), pytest.raises(ConnectorRunning), alone(own):
        pass
    with alone(own):
        pass


def test_a_start_that_fails_half_way_leaves_no_lock(home, capsys):
    """What was opened is closed again: the next start is not refused for the wrong reason."""
    write(home, GOOD)
    (home / "pki" / "crls" / "x.crl").write_text("x")
    idle = Idle()
    arguments = ["--home", str(home), "--name", "c"]
    assert main_for(lambda _settings: Parts(idle, idle), arguments) == 2
    with alone(load_connector(load(home, {}), "c")):
        capsys.readouterr()


# --- trust ----------------------------------------------------------------------------------------


@pytest.fixture
def trust(home):
    settings = load(home, {})
    store = Store.open(settings.store_url)
    yield EdgeTrust(store, settings), store, settings
    store.close()


def test_trust_follows_the_directory(trust):
    """A certificate retired in the home's store stops being believed within seconds."""
    edge, store, settings = trust
    agency, now = AgencyCode.parse(DEPARTMENT), datetime.now(UTC)
    key = load_key(settings, agency)
    edge.check_own(key, agency, now)
    directory.retire_certificate(store, key.certificate_sha256, DEPARTMENT, now, "test", now)
    with pytest.raises(NotInDate):
        edge.check_own(key, agency, now + LOOK_EVERY)
    with pytest.raises(Unregistered):
        edge.check_own(load_key(settings, AgencyCode.parse(HUB)), agency, now)


def test_trust_that_cannot_be_read_leaves_what_there_is(trust):
    """A half-written anchor or a store that is away quarantines nobody's messages."""
    edge, store, settings = trust
    agency, now = AgencyCode.parse(DEPARTMENT), datetime.now(UTC)
    key, before = load_key(settings, agency), edge.verifier(now)
    (settings.pki / "anchors" / "new.pem").write_text("-----BEGIN")
    directory.add_represents(store, _represents(now), "test", now)
    assert edge.verifier(now + LOOK_EVERY) is before
    (settings.pki / "anchors" / "new.pem").unlink()
    assert edge.verifier(now + 2 * LOOK_EVERY) is not before
    edge.check_own(key, agency, now)
    (settings.home / "hub.sqlite").rename(settings.home / "gone")
    store.close()
    edge.check_own(key, agency, now + 4 * LOOK_EVERY)


def _represents(now: datetime):
    return RepresentsRow("00.26.W00", "H26.15", now)


# --- the loop -------------------------------------------------------------------------------------


class Lost:
    """A connection that is lost at every call for a while, then is the scripted one."""

    def __init__(self, desk, losses: int) -> None:
        self.desk, self.losses, self.connections = desk, losses, 0

    def __call__(self):
        self.connections += 1
        if self.connections <= self.losses:
            raise BrokerUnavailable(reason="gone")
        return self.desk.client


def runner(desk, losses: int = 0) -> Runner:
    return Runner(desk.edge, 1.0, Lost(desk, losses))


def turns(desk, made: Runner, count: int) -> None:
    """Let the loop turn ``count`` times; its waits move the clock."""
    left = [count]

    def wait(seconds: float | None = None) -> bool:
        desk.clock.forward(seconds or 0)
        return desk.stop.is_set()

    def receive(**facts):
        left[0] -= 1
        if left[0] <= 0:
            desk.stop.set()
        desk.clock.forward(1)
        return real(**facts)

    real, desk.client.receive = desk.client.receive, receive
    desk.stop.wait = wait
    made.run()


def test_the_outbox_fills_while_the_broker_is_away(desk):
    """Records are taken and kept; with the connection back everything goes out and comes in."""
    desk.legacy.records = [desk.item("row:1")]
    desk.queue.put(desk.message())
    made = runner(desk, losses=3)
    turns(desk, made, 3)
    types = [desk.read(raw).header.type.value for raw in desk.queue.published]
    assert types == ["dossier.received", "receipt.delivered"]


def test_a_round_that_fails_gives_everything_back_and_the_loop_lives_on(desk, monkeypatch):
    """A store that is away for one round loses nothing: what was in hand comes again."""
    raw = desk.message()
    desk.queue.put(raw)
    put, failures = desk.store.put_inbox, [StoreUnavailable(reason="disk full"), OSError("odd")]

    def fails(*args):
        if failures:
            raise failures.pop()
        put(*args)

    monkeypatch.setattr(desk.store, "put_inbox", fails)
    turns(desk, runner(desk), 5)
    assert desk.queue.acked == [raw]
    assert len(desk.legacy.effects) == 1


def test_a_message_that_our_own_code_fails_on_is_set_aside(desk, monkeypatch):
    """After some redeliveries it is kept and alarmed, and the next message goes on."""
    bad, good = desk.message(), desk.message()
    settle = desk.inbound._handover.settle

    def fails(incoming, at, *, waited):
        if incoming.arrival.raw == bad:
            raise ZeroDivisionError
        return settle(incoming, at, waited=waited)

    desk.queue.put(bad)
    desk.queue.put(good)
    made = runner(desk)
    monkeypatch.setattr(made.inbound._handover, "settle", fails)
    turns(desk, made, HOPELESS_AFTER + 2)
    assert sorted(desk.queue.acked) == sorted([bad, good])
    assert [one.code for one in desk.store.kept()] == ["internal.fault"]


def test_a_key_that_the_hub_would_not_believe_ends_the_loop(desk):
    """Before anything is polled or applied; what was in hand goes back to the broker."""

    class Distrust:
        def check_own(self, *_: object) -> None:
            raise Unregistered

    desk.edge = replace(desk.edge, trust=Distrust())
    desk.queue.put(desk.message())
    with pytest.raises(Unregistered):
        runner(desk).run()
    assert desk.legacy.calls == []
