"""Which settings of our policies may be tuned, and between which ends: `configs/tuning.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from optimizer.errors import BadSettings
from optimizer.planning.policies import PolicySettings
from optimizer.settings import Configs, Model, load_model, parse_model

DIGITS = 3
Finite = Annotated[float, Field(allow_inf_nan=False)]
Values = Mapping[str, float]
"""Settings by path, such as `guardrails.step_limit`."""


class Range(Model):
    """The ends between which a setting is looked for; `log`: evenly by its logarithm."""

    low: Finite
    high: Finite
    log: bool = False

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.high <= self.low:
            raise ValueError("high must be above low")
        if self.log and self.low <= 0:
            raise ValueError("log needs a low above 0")
        return self


class SearchSpace(Model):
    """Ranges by path into `PolicySettings`."""

    settings: Annotated[Mapping[str, Range], Field(min_length=1)]


def load_search_space(configs: Configs, rules: PolicySettings) -> SearchSpace:
    """`tuning.yaml`, held to `rules`. Raises `BadSettings` naming file and key."""
    path = configs.root / "tuning.yaml"
    space = load_model(path, SearchSpace)
    for key, ends in space.settings.items():
        _check(key, ends, rules, str(path))
    return space


def explored(space: SearchSpace, policy: str) -> SearchSpace:
    """Without the settings of bid tests for a policy that runs none."""
    if policy == "optimizer_explore":
        return space
    kept = {key: ends for key, ends in space.settings.items() if not key.startswith("exploration.")}
    return SearchSpace(settings=kept)


def value_at(rules: PolicySettings, path: str) -> Any:
    """The setting at `path`; None where there is none."""
    found: Any = rules
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def values_of(rules: PolicySettings, space: SearchSpace) -> dict[str, float]:
    """The settings of `rules` that `space` may move."""
    return {key: value_at(rules, key) for key in space.settings}


def with_values(rules: PolicySettings, values: Values, file: str = "") -> PolicySettings:
    """`rules` with other values at some paths. Raises `BadSettings` where one is not allowed there."""
    told = rules.model_dump()
    for path, value in values.items():
        *parents, last = path.split(".")
        part = told
        for parent in parents:
            part = part[parent]
        part[last] = value
    return parse_model(told, PolicySettings, file=file)


def rounded(value: float) -> float:
    """Three significant digits: no market tells finer ones apart. Whole numbers stay."""
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def _check(key: str, ends: Range, rules: PolicySettings, file: str) -> None:
    now = value_at(rules, key)
    if not isinstance(now, int | float) or isinstance(now, bool):
        raise BadSettings("tuning_key_unknown", file=file, key=key)
    if not ends.low <= now <= ends.high:
        raise BadSettings(
            "tuning_range_misses_default",
            file=file,
            key=key,
            value=now,
            low=ends.low,
            high=ends.high,
        )
    if isinstance(now, int) and not (ends.low.is_integer() and ends.high.is_integer()):
        raise BadSettings("tuning_ends_not_whole", file=file, key=key)
    for end in (ends.low, ends.high):
        with_values(rules, {key: int(end) if isinstance(now, int) else end}, file)
