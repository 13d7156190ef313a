"""``hub doctor``: each failing part has its line and its remedy, and stops none of the others."""

from __future__ import annotations

import sqlite3

import pytest

NAMES = ["settings", "clock", "disk", "store", "key", "trust", "revocation", "broker", "plugins",
         "topology", "versions"]  # fmt: skip


def checks(hub) -> dict[str, dict]:
    """What the doctor says, by part."""
    done = hub("doctor", "--json")
    assert done.status == 1  # no broker runs in these tests
    assert done.json["ok"] is False
    assert [one["name"] for one in done.json["checks"]] == NAMES
    assert all(one.keys() == {"name", "ok", "detail", "remedy"} for one in done.json["checks"])
    assert all(bool(one["remedy"]) is not one["ok"] for one in done.json["checks"])
    return {one["name"]: one for one in done.json["checks"]}


def failing(hub) -> set[str]:
    """The parts that fail besides those that need a broker."""
    found = {name for name, one in checks(hub).items() if not one["ok"]}
    assert found >= {"broker", "plugins", "topology"}
    return found - {"broker", "plugins", "topology"}


def test_a_new_home_lacks_only_the_broker(hub):
    """Everything else works, and the remedy of all three is to start the broker."""
    found = checks(hub)
    assert failing(hub) == set()
    assert {found[name]["remedy"] for name in ("broker", "plugins", "topology")} == {
        found["broker"]["remedy"]}  # fmt: skip
    assert "hub up" in found["broker"]["remedy"]


def test_people_get_a_table_in_their_language(hub):
    """Names, findings and remedies; the other language on demand."""
    assert "hub up" in hub("doctor").out
    assert "remedy" in hub("doctor", "--lang", "en").out


def test_no_home_is_the_one_thing_to_mend(bare):
    """Without hub.toml every part that needs it points there."""
    done = bare("--home", "none", "doctor", "--json")
    assert done.status == 1
    remedies = {one["remedy"] for one in done.json["checks"] if not one["ok"]}
    assert len(remedies) == 1
    assert "hub init" in remedies.pop()


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("pki/agencies/00.99.W00/key.pem", None, {"key", "trust"}),
        ("pki/agencies/00.99.W00/key.pem", "rubbish", {"key", "trust"}),
        ("pki/anchors/root.pem", None, {"trust"}),
        ("pki/anchors/root.pem", "rubbish", {"trust", "revocation"}),
        ("pki/crls/issuing.crl", None, {"trust"}),
        ("pki/crls/issuing.crl", "rubbish", {"trust", "revocation"}),
        ("hub.sqlite", None, {"store", "trust"}),
        ("hub.sqlite", "rubbish", {"store", "trust"}),
    ],
)
def test_each_damage_is_found(hub, home, path, content, expected):
    """A missing or spoilt file fails the parts that rest on it, each with a remedy."""
    file = home / path
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    assert failing(hub) == expected


def test_a_store_of_another_version_is_brought_up_to_date_by_hub_up(hub, home):
    """The remedy is not to look at rights and paths."""
    with sqlite3.connect(home / "hub.sqlite") as connection:
        connection.execute("update alembic_version set version_num = '0001'")
    connection.close()
    assert "hub up" in checks(hub)["store"]["remedy"]


def test_a_wrong_setting_is_named(hub, home):
    """The detail names file and key."""
    file = home / "hub.toml"
    file.write_text(file.read_text("utf-8") + "\n[colours]\nred = 1\n", "utf-8")
    found = checks(hub)
    assert "hub.toml" in found["settings"]["detail"]
    assert "colours" in found["settings"]["detail"]
    assert found["versions"]["ok"]


def test_a_broker_that_does_not_answer_is_told_without_its_password(hub, monkeypatch):
    """The address in the sentence, the password never."""
    monkeypatch.setenv("HUB_BROKER_URL", "amqp://hub:sesame@127.0.0.1:1/")
    done = hub("doctor", "--json")
    assert "sesame" not in done.out + done.err
    assert not {one["name"]: one["ok"] for one in done.json["checks"]}["broker"]


def test_the_doctor_writes_no_line_into_the_log(hub):
    """A check that runs every minute must not fill the evidence."""
    before = hub("audit", "verify", "--json").json["entries"]
    hub("doctor")
    assert hub("audit", "verify", "--json").json["entries"] == before
