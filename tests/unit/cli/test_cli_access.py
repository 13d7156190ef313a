"""``hub access``: deny by default, deny beats allow, and no rule that could never fit."""

from __future__ import annotations

import pytest

ALLOWED = ("H12.15", "H12.03", "dossier.submitted")


def test_the_demo_rules_decide(hub):
    """One sending that the demo's rules allow, and one that no rule speaks of."""
    yes = hub("access", "test", *ALLOWED, "--json")
    assert (yes.status, yes.json["allowed"]) == (0, True)
    assert yes.json.keys() == {"allowed", "rule"}
    assert "dossier.*" in yes.json["rule"]
    no = hub("access", "test", "H12.15", "H26.15", "petition.submitted", "--json")
    assert (no.status, no.json) == (1, {"allowed": False, "rule": None})


def test_a_rule_that_denies_beats_those_that_allow(hub):
    """Until it is removed again; an agency's old code means the same agency."""
    assert hub("access", "deny", *ALLOWED, "--note", "thử").status == 0
    for sender in ("H12.15", "000.00.13.H12"):
        assert hub("access", "test", sender, *ALLOWED[1:]).status == 1
    rule = hub("access", "list", "--json").json["rules"][-1]
    assert rule == {"id": rule["id"], "from": "H12.15", "to": "H12.03",
                    "type": "dossier.submitted", "allow": False, "note": "thử"}  # fmt: skip
    assert hub("access", "remove", rule["id"]).status == 0
    assert hub("access", "test", *ALLOWED).status == 0


def test_patterns_of_every_kind_are_taken(hub):
    """Prefix, kind and star for parties, family and star for types; codes in one spelling."""
    assert hub("access", "allow", "h26.*", "@commune", "petition.*").status == 0
    assert hub("access", "allow", "*", "H26.15").status == 0
    rules = hub("access", "list", "--json").json["rules"][-2:]
    assert [(rule["from"], rule["to"], rule["type"]) for rule in rules] == [
        ("H26.*", "@commune", "petition.*"), ("*", "H26.15", "*")]  # fmt: skip
    assert hub("access", "test", "H12.15", "H26.15", "petition.submitted").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("H12..*", "*", "*"), "FROM"),
        (("[x", "*", "*"), "FROM"),
        (("*", "", "*"), "TO"),
        (("*", "@Commune!", "*"), "TO"),
        (("*", "*", "dossier"), "TYPE"),
        (("*", "*", "dosier.*"), "TYPE"),
        (("*", "*", "dossier.recieved"), "TYPE"),
        (("H12.15",), "TO"),
    ],
)
def test_a_rule_that_could_never_fit_is_refused(hub, words, said):
    """A mistyped rule that denies would deny nobody: status 2, and the word is named."""
    for verb in ("allow", "deny"):
        done = hub("access", verb, *words)
        assert (done.status, done.out) == (2, "")
        assert said in done.err


@pytest.mark.parametrize(
    "words",
    [("x", "H12.03", "dossier.submitted"), ("H12.15", "x", "*"), ("H12.15", "H12.03", "Nonsense")],
)
def test_wrong_codes_and_types_are_wrong_usage(hub, words):
    """Nothing is judged that could not be sent."""
    assert hub("access", "test", *words).status == 2


def test_removing_what_is_not_there(hub):
    """An unknown number exits 1, what is no number exits 2."""
    assert hub("access", "remove", "99999").out == "lookup.not_found\n"
    assert hub("access", "remove", "first").status == 2


def test_every_change_is_in_the_log(hub):
    """Adding and removing a rule are two entries, and the chain holds."""
    before = hub("audit", "verify", "--json").json["entries"]
    hub("access", "allow", "*", "H26.15")
    hub("access", "remove", hub("access", "list", "--json").json["rules"][-1]["id"])
    after = hub("audit", "verify", "--json").json
    assert (after["ok"], after["entries"]) == (True, before + 2)
