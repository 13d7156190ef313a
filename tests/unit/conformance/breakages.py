"""The scaffold's connector, and fifty ways to break one promise of it by changing its text."""

from __future__ import annotations

import sys
import types
from importlib.resources import files

TEMPLATE = (files("hub.cli") / "data" / "scaffold" / "app.py.txt").read_text("utf-8")

CHECKED = "        self._folders.check()\n"
KEY = '        key = f"{sha256_hex(file.name.encode())[:16]}:{sha256_hex(raw)[:16]}"\n'
POLL = '        last, name = json.loads(checkpoint) if checkpoint else (-1, "")\n'
POLLED = "        return Batch(items, json.dumps(fresh[-1] if fresh else (last, name)))\n"
TOLD = "        _write(self._folders.told / name,"
TOLD_DOC = 'the same outcome twice is the same file."""\n'
TYPES = "        if not types_match(ACCEPTS, str(message.type)):\n"
APPLIED = "        return Applied(file.stem)\n\n    def lookup"
LOOKUP = '        """Tell whether a key was applied: its file is there."""\n' + CHECKED
FOUND = "        return Applied(file.stem) if file.exists() else None\n"
PROBE = '        """Look for the folders."""\n'
WRITE = "        half.write_bytes(data)\n"
WRITE_FAILED = "        raise SinkUnavailable(type(error).__name__) from error\n\n\ndef factory"

Change = tuple[str, str]


def connector(*changes: Change, name: str = "broken_connector") -> types.ModuleType:
    """Return the scaffold as a module, with pieces of its text replaced."""
    source = TEMPLATE.replace("@NAME@", name).replace("@PACKAGE@", name)
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    module = types.ModuleType(f"{name}.app")
    sys.modules[module.__name__] = module
    exec(compile(source, f"{name}/app.py", "exec"), module.__dict__)
    return module


def before(anchor: str, *lines: str) -> Change:
    """Put lines of a method's body before a piece of text."""
    return anchor, "".join(f"        {line}\n" for line in lines) + anchor


def after(anchor: str, *lines: str) -> Change:
    """Put lines of a method's body behind a piece of text."""
    return anchor, anchor + "".join(f"        {line}\n" for line in lines)


SOURCE = [
    ("poll.finds", [('(folder / "out" / "tot.json")', '(folder / "out" / "tot.txt")')]),
    ("poll.again", [after(KEY, "key = str(uuid.uuid4())")]),
    (
        "poll.again",
        [after(POLL, "limit = 0 if hasattr(self, 'asked') else limit", "self.asked = True")],
    ),
    ("poll.limit", [("[:limit]", "")]),
    ("poll.checkpoint", [(POLLED, "        return Batch(items, checkpoint or '')\n")]),
    (
        "poll.checkpoint",
        [
            ("OVERLAP_S = 60", "OVERLAP_S = 0"),
            (POLLED, POLLED.replace("fresh[-1] if fresh", "files[-1] if fresh")),
        ],
    ),
    ("poll.checkpoint", [before(POLLED, "return Batch(items, fresh)")]),
    (
        "poll.checkpoint",
        [before(POLLED, "return Batch(items, json.dumps([last + 1, uuid.uuid4().hex]))")],
    ),
    ("poll.reads", [before(POLLED, "[(self._folders.out / one).unlink() for _, one in fresh]")]),
    ("keys", [after(KEY, "key = 'one'")]),
    ("keys", [after(KEY, "key = 'x' * 301 + key")]),
    ("privacy", [("label=file.name", "label=json.loads(raw).get('nguoi_nop', '')")]),
    ("privacy", [after(KEY, "key = '000000000001 ' + key")]),
    ("unmappable", [before("            return Item(key, error=", "    raise")]),
    ("unmappable", [("error=error.at(file=file.name)", "error=ValueError(file.name)")]),
    ("unmappable", [(".at(file=file.name)", "")]),
    ("unmappable", [('(folder / "out" / "hong.json")', '(folder / "out" / "hong.txt")')]),
    ("drafts.wire", [('            "SourceSystem": SYSTEM,\n', "")]),
    (
        "attachments.out",
        [("media_type, _read(file))", "media_type, _read(file).replace(b'\\n', b'\\r\\n'))")],
    ),
    ("confirm", [before(TOLD, "name = f'{uuid.uuid4()}.json'")]),
    ("confirm", [before(TOLD, "assert not (self._folders.told / name).exists()")]),
]
SINK = [
    ("apply.finds", [(FOUND, "        return None\n")]),
    (
        "apply.finds",
        [
            ("  # last: it is the proof\n", "  # last\n        file.unlink()\n"),
            (
                '            _write(self._folders.into / name, one.content or b"")\n',
                "            pass\n",
            ),
        ],
    ),
    ("apply.finds", [(FOUND, FOUND.replace("file.stem", "'other'"))]),
    ("apply.finds", [before(TYPES, "raise SinkRefused(reason='no')")]),
    (
        "apply.once",
        [
            ("        if done is not None:\n", "        if False:\n"),
            before("        beside = ", "file = self._folders.into / f'{uuid.uuid4()}.json'"),
        ],
    ),
    ("apply.once", [("            return done\n", "            return Applied('again')\n")]),
    ("lookup.unknown", [(FOUND, "        return Applied(file.stem)\n")]),
    ("lookup.unknown", [after(LOOKUP, "(self._folders.into / 'asked').touch()")]),
    ("apply.refuses", [(TYPES, "        if False:\n")]),
    ("apply.refuses", [before(TYPES, "(self._folders.into / 'seen').touch()")]),
    ("apply.refuses", [after(TYPES, "    raise KeyError(key)")]),
    (
        "apply.any",
        [('str(message.dossier_code or "")', 'str(message.payload.fields["DossierCode"])')],
    ),
    ("replies", [(APPLIED, APPLIED.replace("file.stem", "'x' * 201"))]),
    (
        "replies",
        [
            (
                APPLIED,
                APPLIED.replace(
                    "file.stem", "message.payload.fields['Dossier']['Applicant']['FullName']"
                ),
            )
        ],
    ),
    (
        "replies",
        [
            before(
                APPLIED,
                "kind = MessageType('connectivity.pong')",
                "pong = Draft(kind, (message.sender,), Payload('Nothing'))",
                "return Applied(file.stem, (pong,))",
            )
        ],
    ),
    ("attachments.in", [(WRITE, WRITE.replace("data", "data.replace(b'\\r\\n', b'\\n')"))]),
    ("attachments.in", [('one.content or b""', 'b""')]),
]
PARTNER = [
    ("probe.up", [after(PROBE, "return Health(ok=False, detail='no')")]),
    ("probe.up", [after(PROBE, "(self._folders.told / 'probed').touch()")]),
    (
        "probe.down",
        [
            (
                "        except HubError as error:\n            remedy",
                "        except KeyError as error:\n            remedy",
            )
        ],
    ),
    ("probe.down", [after(PROBE, "return Health(ok=True)")]),
    ("probe.down", [(", remedy=remedy", "")]),
    ("down.poll", [(CHECKED + POLL, POLL)]),
    ("down.poll", [before(CHECKED + POLL, "next(self._folders.out.iterdir())")]),
    ("down.poll", [before(CHECKED + POLL, "if checkpoint: return Batch((), checkpoint)")]),
    (
        "down.confirm",
        [
            (WRITE_FAILED, "        raise\n\n\ndef factory"),
            (TOLD_DOC + CHECKED, TOLD_DOC),
        ],
    ),
    (
        "down.apply",
        [
            after(
                LOOKUP.replace(CHECKED, ""),
                "if not self._folders.into.is_dir():",
                "    raise SinkRefused(reason='gone')",
            )
        ],
    ),
    (
        "down.apply",
        [(WRITE_FAILED, "        raise\n\n\ndef factory"), (LOOKUP, LOOKUP.replace(CHECKED, ""))],
    ),
    ("down.lookup", [(LOOKUP, LOOKUP.replace(CHECKED, ""))]),
    ("outside", [before(POLLED, "Path('spilt').write_bytes(b'')")]),
    ("outside", [after(LOOKUP, "__import__('sqlite3').connect('spilt').close()")]),
    ("outside", [after(PROBE, "Path('spilt').mkdir(exist_ok=True)")]),
]
BROKEN = [*SOURCE, *SINK, *PARTNER]
"""Case → what is changed in the scaffold to make it fail."""
