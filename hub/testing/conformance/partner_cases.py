"""Cases about the partner's system: there, gone, and left alone where it must be."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hub.adapters.contract import Confirmation, Health, Inbound, Probe, Sink
from hub.errors import HubError, SinkUnavailable, SinkUnknown
from hub.testing.conformance import messages
from hub.testing.conformance.bed import LIMIT, Bed
from hub.testing.conformance.sink_cases import applied
from hub.testing.conformance.source_cases import unchanged
from hub.testing.conformance.verdict import Broken, case, hold
from hub.testing.conformance.watch import outside

PROBE_S = 10.0
"""A probe is asked before every wait: it may take seconds, never longer."""


def probed(probe: Probe, deadline_s: float = PROBE_S) -> Health:
    """Return what the probe says; raises ``Broken`` when it raises, hangs or says no ``Health``."""
    said: list[Health | BaseException] = []

    def ask() -> None:
        try:
            said.append(probe.probe())
        except BaseException as error:  # noqa: BLE001  a probe never raises: this is the case
            said.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(deadline_s)
    if not said:
        seconds = f"{deadline_s:g}"
        raise Broken(f"probe chưa trả lời sau {seconds} giây", f"no answer within {seconds} s")
    found = said[0]
    if not isinstance(found, Health):
        kind = type(found).__name__
        raise Broken(f"probe ném hoặc trả {kind}", f"probe raised or returned a {kind}")
    return found


@case(
    "probe.up",
    "Probe.probe",
    "probe nói có khi đối tác đang chạy, và không làm thay đổi gì.",
    shared=True,
)
def probe_up(bed: Bed) -> None:
    """The probe says yes while the partner is there, and changes nothing."""
    before = bed.observe()
    found = probed(bed.parts().probe)
    hold(found.ok, f"probe nói không: {found.detail}", f"the probe says no: {found.detail}")
    unchanged(bed, before, "probe")


@case(
    "probe.down",
    "Probe.probe",
    "probe không bao giờ ném lỗi khi đối tác mất, trả lời nhanh, nói không và cách khắc phục.",
)
def probe_down(bed: Bed) -> None:
    """The probe never raises when the partner is gone; it answers soon, says no, and a remedy."""
    probe = bed.parts().probe
    bed.down()
    found = probed(probe)
    hold(not found.ok, "probe vẫn nói có", "the probe still says yes")
    hold(found.remedy, "probe không nói cách khắc phục", "the probe names no remedy")


@case(
    "down.poll",
    "Source.poll",
    "Khi đối tác mất, poll ném SinkUnavailable, không ném lỗi nào khác.",
)
def down_poll(bed: Bed) -> None:
    """When the partner is gone, poll raises SinkUnavailable and nothing else."""
    source = bed.source()
    mark = bed.source().poll(None, LIMIT).checkpoint
    bed.down()
    _unavailable("poll(None)", lambda: source.poll(None, LIMIT))
    _unavailable("poll(checkpoint)", lambda: source.poll(mark, LIMIT))


@case(
    "down.confirm",
    "Source.confirm",
    "Khi đối tác mất, confirm ném SinkUnavailable (sẽ được gọi lại) hoặc không cần đối tác.",
)
def down_confirm(bed: Bed) -> None:
    """When the partner is gone, confirm raises SinkUnavailable (called again), or needs it not."""
    source = bed.source()
    key = bed.items()[0].key
    bed.down()
    _unavailable("confirm", lambda: source.confirm(key, Confirmation.PUBLISHED, None), silent=True)


@case(
    "down.apply",
    "Sink.apply",
    "Khi đối tác mất, apply ném SinkUnavailable: thử lại sau, không mất, không từ chối.",
)
def down_apply(bed: Bed) -> None:
    """When the partner is gone, apply raises SinkUnavailable: tried again, not lost."""
    sink = bed.sink()
    message, _ = applied(bed, bed.sink())
    bed.down()
    _unavailable("apply", lambda: sink.apply(message, message.key))


@case(
    "down.lookup",
    "Sink.lookup",
    "Khi đối tác mất, lookup không khẳng định gì: ném SinkUnavailable hoặc SinkUnknown.",
)
def down_lookup(bed: Bed) -> None:
    """When the partner is gone, lookup claims nothing: it raises SinkUnavailable or SinkUnknown."""
    sink = bed.sink()
    message = next(messages.candidates(bed))
    bed.down()
    try:
        found = sink.lookup(message.key)
    except (SinkUnavailable, SinkUnknown):
        return
    hold(
        found is None and bed.says("REPEATABLE"),
        "lookup trả lời dù không hỏi được đối tác",
        "lookup answered without a partner to ask",
    )


def _unavailable(name: str, call: Callable[[], object], *, silent: bool = False) -> None:
    try:
        call()
    except SinkUnavailable:
        return
    except HubError as error:
        message = f"{name}: {error.code} ({error.message('en')[:200]})"
        raise Broken(message, message) from error
    except Exception as error:
        kind = type(error).__name__
        raise Broken(f"{name} ném {kind}", f"{name} raised {kind}") from error
    hold(silent, f"{name} không báo gì", f"{name} raised nothing")


@case(
    "outside",
    "Source, Sink, Probe",
    "Không ghi tệp nào ngoài đối tác: dữ liệu không rơi vãi ra đĩa.",
)
def outside_writes(bed: Bed) -> None:
    """No file is written outside the partner: data do not spill onto the disk."""
    message = next(messages.candidates(bed), None) if bed.parts().sink else None
    with outside(bed.folder) as spilt:
        parts = bed.parts()
        parts.probe.probe()
        if parts.source is not None:
            for item in parts.source.poll(None, LIMIT).items:
                parts.source.confirm(item.key, Confirmation.PUBLISHED, None)
        if parts.sink is not None and message is not None:
            _applied_quietly(parts.sink, message)
            parts.sink.lookup(message.key)
    hold(not spilt, f"đã ghi {sorted(spilt)[:3]}", f"wrote {sorted(spilt)[:3]}")


def _applied_quietly(sink: Sink, message: Inbound) -> None:
    try:
        sink.apply(messages.with_attachment(message), message.key)
    except HubError:
        return
