"""One clear sentence, in both languages, for what was typed wrongly."""

from __future__ import annotations

from typer.exceptions import TyperException

from hub.errors import UsageError

_PHRASES = (
    ("Missing argument", "Thiếu tham số"),
    ("Missing option", "Thiếu tùy chọn"),
    ("Missing command", "Thiếu lệnh con"),
    ("No such option:", "Không có tùy chọn"),
    ("No such command", "Không có lệnh"),
    ("Invalid value for", "Giá trị không hợp lệ cho"),
    ("Got unexpected extra argument(s)", "Thừa tham số"),
    ("Got unexpected extra argument", "Thừa tham số"),
    ("requires an argument", "cần một giá trị"),
    ("does not take a value", "không nhận giá trị"),
    ("is not in the range", "không nằm trong khoảng"),
    ("is not a valid integer", "không phải số nguyên"),
    ("is not a valid float", "không phải số"),
    ("Did you mean", "Có phải"),
    ("Option", "Tùy chọn"),
)
"""What the parser says in English, and the same in Vietnamese; the rest of a sentence is names."""


def translated(error: TyperException) -> UsageError:
    """Return the command line parser's error as one of ours."""
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "hub")
    if type(error).__name__ == "NoArgsIsHelpError":
        said = "Missing command"
    else:
        said = " ".join(error.format_message().split()).rstrip(".")
    vietnamese = said
    for english, words in _PHRASES:
        vietnamese = vietnamese.replace(english, words)
    return UsageError(
        reason=f"{said}; see {path} --help", reason_vi=f"{vietnamese}; xem {path} --help"
    )


def from_os(error: OSError) -> UsageError:
    """Return a failed file operation as a usage error that names the file."""
    return UsageError(reason=f"{error.filename}: {error.strerror or type(error).__name__}")
