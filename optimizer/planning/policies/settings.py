"""The one setting with which our own policies play every market: `configs/policies.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.settings import Configs, Exploration, Guardrails, Model, Settings, load_model

AUTOPILOT = Guardrails(
    step_limit=0.4,
    assumed_step_limit=0.4,
    min_probability=0.5,
    cool_down_days=0,
    leave_first_page=True,
)
"""Nobody looks at the changes, so none has to wait: a review corrects the one before."""


class PolicySettings(Model):
    """When our policies review, and the guardrails they do it with.

    `early_days`: ages of the account at which it is reviewed beside every `every_days`-th.
    """

    early_days: tuple[Annotated[int, Field(ge=1, le=365)], ...] = (1, 2, 3, 5, 7, 10, 14)
    every_days: Annotated[int, Field(ge=1, le=90)] = 7
    guardrails: Guardrails = AUTOPILOT
    exploration: Exploration = Exploration()

    def due(self, age: int) -> bool:
        """Whether an account of `age` days is reviewed today."""
        return age > 0 and (age in self.early_days or age % self.every_days == 0)

    def over(self, shipped: Settings) -> Settings:
        """`shipped` with these guardrails and this exploration."""
        return shipped.model_copy(
            update={"guardrails": self.guardrails, "exploration": self.exploration}
        )


def load_policy_settings(configs: Configs) -> PolicySettings:
    """`policies.yaml`, or the defaults where there is none. Raises `BadSettings`."""
    return load_model(configs.root / "policies.yaml", PolicySettings, missing_ok=True)
