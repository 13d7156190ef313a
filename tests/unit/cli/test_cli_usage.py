"""Wrong words, languages, global options and streams: one sentence, the right status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli import application
from hub.cli.context import Invocation, split_globals
from hub.codes import (
    AgencyCode,
    DossierCode,
    Environment,
    GsoProvince,
    MessageId,
    MessageType,
    PostProvince,
    ProcedureCode,
)
from hub.errors import CodeMalformed, UsageError

HUB = Path(sys.executable).with_name("hub")
PER_COMMAND = {
    "init": ("DIR",),
    "example": ("TYPE", "--from", "--to", "--size"),
    "sign": ("FILE", "--as", "--key", "--cert", "--output"),
    "verify": ("FILE", "--at"),
    "send": ("FILE", "--as"),
    "receive": ("--as", "--max", "--timeout", "--out", "--receipt"),
    "trace": ("ID",),
    "demo": ("--once", "--port"),
    "directory": ("import", "list", "show", "resolve", "export"),
    "trust": ("list", "add", "retire"),
    "access": ("list", "allow", "deny", "test"),
    "parked": ("list", "show"),
    "audit": ("verify",),
    "topology": ("plan", "apply", "verify"),
    "connector": ("list", "new", "check", "run"),
    "simulate": ("NAME",),
    "bench": ("relay|verify|sign",),
}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "hub --help"),
        (("nonsense",), "nonsense"),
        (("directory",), "hub directory --help"),
        (("directory", "nonsense"), "nonsense"),
        (("sign",), "FILE"),
        (("sign", "--colour", "red", "x"), "--colour"),
        (("queues", "a", "b"), "a b"),
        (("receive", "--as", "H12.15", "--max", "0"), "--max"),
        (("receive", "--as", "H12.15", "--max", "many"), "--max"),
        (("receive", "--as", "H12.15", "--timeout", "-1"), "--timeout"),
        (("receive", "--as", "H12.15", "--timeout", "nan"), "--timeout"),
        (("receive",), "--as"),
        (("--home",), "--home"),
        (("--home", "--lang", "vi", "queues"), "--home"),
        (("queues", "--lang"), "--lang"),
        (("queues", "--lang", "fr"), "fr"),
        (("queues", "--lang=fr"), "fr"),
        (("bench", "nonsense"), "nonsense"),
        (("simulate", "nonsense"), "vnpost"),
        (("demo", "--port", "99999"), "--port"),
    ],
)
def test_wrong_words_end_in_one_sentence(bare, words, said):
    """Status 2, nothing on standard output, one line on standard error naming the word."""
    done = bare(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("hub: ")
    assert done.err.count("\n") == 1
    assert said in done.err


@pytest.mark.parametrize("variable", [("HUB_LANG", "fr"), ("HUB_LOG", "loud")])
def test_wrong_surroundings_are_wrong_usage(bare, monkeypatch, variable):
    """A variable that nobody knows is told by name."""
    monkeypatch.setenv(*variable)
    done = bare("directory", "list")
    assert done.status == 2
    assert variable[0] in done.err


def test_an_error_is_one_json_document_with_json(bare):
    """A program gets the error as data on standard output, in both languages."""
    done = bare("sign", "--json")
    assert done.status == 2
    assert done.json.keys() >= {"ok", "code", "vi", "en"}
    assert (done.json["ok"], done.json["code"]) == (False, "usage.invalid")


def test_global_options_stand_before_or_behind(bare, home):
    """``--home``, ``--json`` and ``--lang`` are found wherever they stand, with = or without."""
    before = bare("--home", home, "--json", "--lang", "en", "directory", "show", "H12.15")
    behind = bare("directory", "show", "H12.15", "--lang=en", f"--home={home}", "--json")
    between = bare("directory", "--json", "show", "--home", home, "H12.15")
    assert before.json == behind.json == between.json
    assert before.json["code"] == "H12.15"


def test_words_behind_two_dashes_are_left_alone():
    """``--`` ends the options: what follows is a file name, even ``--json``."""
    call = Invocation()
    split_globals(["verify", "--", "--json", "--home"], call)
    assert call.rest == ["verify", "--", "--json", "--home"]
    assert call.json is False
    with pytest.raises(UsageError):
        split_globals(["verify", "--home"], Invocation())


def test_the_language_comes_from_option_variable_or_home(hub, home, monkeypatch):
    """--lang beats HUB_LANG, HUB_LANG beats hub.toml, and Vietnamese is the rule."""
    wanted = ("directory", "show", "H12.777")
    assert "Không tìm thấy" in hub(*wanted).err
    assert "Nothing is known" in hub(*wanted, "--lang", "en").err
    toml = home / "hub.toml"
    toml.write_text(toml.read_text("utf-8").replace('# lang = "vi"', 'lang = "en"'), "utf-8")
    assert "Nothing is known" in hub(*wanted).err
    monkeypatch.setenv("HUB_LANG", "vi")
    assert "Không tìm thấy" in hub(*wanted).err


def test_home_comes_from_option_or_variable(bare, home, monkeypatch):
    """--home beats HUB_HOME; an empty variable counts as none."""
    monkeypatch.setenv("HUB_HOME", str(home))
    assert bare("directory", "show", "H12.15", "--json").status == 0
    assert bare("--home", "none", "directory", "list").status == 2
    monkeypatch.setenv("HUB_HOME", "")
    assert "hub-home" in bare("directory", "list").err


@pytest.mark.parametrize("name", sorted(application.COMMANDS))
def test_every_command_explains_itself_in_both_languages(bare, name):
    """Help names every option of the contract; Vietnamese is the rule, ``--lang en`` the other."""
    vietnamese, english = bare(name, "--help"), bare(name, "-h", "--lang", "en")
    assert vietnamese.status == english.status == 0
    assert vietnamese.out != english.out
    for shown in (vietnamese.out, english.out):
        assert " / " not in shown
        assert all(word in shown for word in PER_COMMAND.get(name, ()))


def test_the_list_of_commands_has_all_of_them(bare):
    """``hub --help`` lists every command with a sentence that is not cut off."""
    for lang in ("vi", "en"):
        shown = bare("--help", "--lang", lang)
        assert shown.status == 0
        lines = [line for line in shown.out.splitlines() if line.startswith("  ")]
        assert set(application.COMMANDS) <= {line.split()[0] for line in lines}
        assert not [line for line in lines if line.endswith("...")]


def test_every_kind_of_code_has_a_name_in_both_languages():
    """What is no code of its kind is told in the reader's own words."""
    parsers = (
        AgencyCode.parse, Environment.parse, MessageId.parse, MessageType.parse, DossierCode.parse,
        ProcedureCode.parse, GsoProvince.parse, PostProvince.parse,
    )  # fmt: skip
    named = set()
    for parse in parsers:
        with pytest.raises(CodeMalformed) as caught:
            parse("?" * 99)
        assert str(caught.value.facts["kind"]) in caught.value.message("en")
        named.add(str(caught.value.facts["kind_vi"]))
        assert str(caught.value.facts["kind_vi"]) in caught.value.message("vi")
    assert named == set(CodeMalformed.KINDS.values())


def test_version(bare):
    """``hub --version`` prints one line."""
    assert bare("--version").out.startswith("hub ")


def test_a_mistake_of_our_own_is_no_traceback(bare, monkeypatch, tmp_path):
    """An exception that nobody foresaw ends in one sentence, status 1; debug shows where."""
    monkeypatch.setattr(application, "command_for", lambda *_words: 1 / 0)
    done = bare("queues", "--json")
    assert done.status == 1
    assert done.json["code"] == "internal.fault"
    assert "ZeroDivisionError" in done.err
    assert "Traceback" not in done.err
    monkeypatch.setenv("HUB_LOG", "debug")
    assert "Traceback" in bare("queues").err


def process(*words: str, **options) -> subprocess.CompletedProcess[bytes]:
    """Run the installed command as a process of its own."""
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("HUB_")}
    surroundings |= options.pop("env", {})
    return subprocess.run(
        [str(HUB), *words], stderr=subprocess.PIPE, check=False, timeout=60, env=surroundings,
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_a_full_disk_behind_standard_output_is_told(demo_home, json_):
    """Nothing can be printed: one sentence on standard error, status 1."""
    with Path("/dev/full").open("wb") as full:
        done = process("--home", str(demo_home), "directory", "list", *json_, stdout=full)
    assert done.returncode == 1
    assert b"stdout" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly(demo_home):
    """As in ``hub directory list | head -1``: no traceback, no noise."""
    read, write = os.pipe()
    os.close(read)
    done = process("--home", str(demo_home), "directory", "list", stdout=write)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == b""


def test_closed_streams_do_not_matter(demo_home):
    """``>&- 2>&-``: the status still tells."""
    line = f"exec {HUB} --home {demo_home} directory show H12.15 >&- 2>&-"
    assert subprocess.run(["bash", "-c", line], check=False, timeout=60).returncode == 0


def test_a_terminal_without_vietnamese_breaks_nothing(demo_home):
    """With an encoding that lacks the letters people see escapes, and programs valid JSON."""
    surroundings = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    words = ("--home", str(demo_home), "directory", "show", "H12.15")
    people = process(*words, stdout=subprocess.PIPE, env=surroundings)
    programs = process(*words, "--json", stdout=subprocess.PIPE, env=surroundings)
    assert people.returncode == programs.returncode == 0
    assert "Sở" in json.loads(programs.stdout)["name"]
