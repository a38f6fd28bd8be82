"""The state of accounts in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

_HELP = {
    "optimizer_last_import_seconds": "When the newest file was imported (Unix time).",
    "optimizer_data_as_of_seconds": "Download day of the newest file (Unix time).",
    "optimizer_last_review_seconds": "When the account was last reviewed (Unix time).",
    "optimizer_suggestions": "Suggestions of the newest review by decision.",
    "optimizer_deliveries": "Exported changes by what became of them.",
}
Sample = tuple[str, dict[str, str], float]


def prometheus_text(statuses: Iterable[Any]) -> str:
    """Samples of every account, those of one metric together; what is unknown is left out."""
    samples = [sample for status in statuses for sample in _samples(status)]
    lines = []
    for name, told in _HELP.items():
        lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge"]
        lines += [_line(*sample) for sample in samples if sample[0] == name]
    return "\n".join(lines) + "\n"


def _samples(status: Any) -> Iterator[Sample]:
    own = {"account": status.account}
    for name, moment in (
        ("optimizer_last_import_seconds", status.imported_at),
        ("optimizer_data_as_of_seconds", status.downloaded_on),
        ("optimizer_last_review_seconds", status.reviewed_at),
    ):
        if moment is not None:
            yield name, own, _seconds(moment)
    for decision, count in sorted(status.suggestions.items()):
        yield "optimizer_suggestions", own | {"decision": decision}, count
    for state, count in sorted(status.deliveries.items()):
        yield "optimizer_deliveries", own | {"state": state}, count


def _seconds(moment: date) -> float:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    return moment.timestamp()


def _line(name: str, labels: dict[str, str], value: float) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
