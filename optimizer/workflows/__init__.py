"""One function per verb; the only place that joins the store and the stages.

Every function takes the actor who asks and checks the role. A viewer reads; an operator imports,
reviews, rejects, snoozes and locks; an approver approves, edits, undoes and exports. All raise only
kinds of `OptimizerError`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.planning.scenarios import Scenario
    from optimizer.planning.tuning import Tuning
    from optimizer.reports import Told
    from optimizer.review.creative_detail import CreativeDetail
    from optimizer.workflows.access import (
        NewToken,
        add_token,
        grant,
        grants,
        person_actor,
        revoke_token,
        token_actor,
        tokens,
        ungrant,
    )
    from optimizer.workflows.attention import Attention, attention
    from optimizer.workflows.auditing import CheckReport, audit, check
    from optimizer.workflows.backtesting import BacktestReport, backtest
    from optimizer.workflows.checking import check_predictive
    from optimizer.workflows.creative_definitions import (
        DefinedTest,
        define_creative_test,
        defined_tests,
        end_creative_test,
        known_creatives,
    )
    from optimizer.workflows.creative_tests import CreativeReport, creative_test, creative_tests
    from optimizer.workflows.deciding import (
        approve,
        edit,
        lock,
        reject,
        snooze,
        undo,
    )
    from optimizer.workflows.delivery import (
        DeliveryReport,
        ResultsTaken,
        deliveries,
        with_deliveries,
    )
    from optimizer.workflows.demo import DemoReport, demo
    from optimizer.workflows.experimenting import (
        ExperimentReport,
        StepExport,
        approve_experiment,
        experiment,
        export_experiment,
        propose_experiment,
        reject_experiment,
        stop_experiment,
    )
    from optimizer.workflows.exporting import ExportResult, export, export_formats, exports
    from optimizer.workflows.importing import (
        ImportResult,
        accounts,
        batches,
        explain_file,
        import_files,
        new_profile,
        quarantine,
        unmatched,
    )
    from optimizer.workflows.in_force import InForce, locks, settings_in_force
    from optimizer.workflows.monitoring import AccountStatus, account_statuses, ready
    from optimizer.workflows.performance import Performance, performance
    from optimizer.workflows.planning import (
        Adopted,
        PlanReport,
        delete_plan,
        event_names,
        kept_scenario,
        plan,
        plan_basis,
        plan_names,
        plans,
        save_plan,
        suggest_from_plan,
    )
    from optimizer.workflows.queue import (
        SelectionTotals,
        SuggestionDetail,
        at_rate,
        conflicts,
        edited,
        queue_stamp,
        suggestion,
        suggestions,
        totals,
        why_not,
    )
    from optimizer.workflows.resolving import DecisionResult, ResolveSummary, Solving, solving
    from optimizer.workflows.reverting import revert
    from optimizer.workflows.reviewing import ReviewReport, latest_review, latest_summary, review
    from optimizer.workflows.simulating import SimulationReport, simulate
    from optimizer.workflows.tuning import tune
    from optimizer.workflows.views import delete_view, save_view, views
    from optimizer.workflows.workspace import Progress, Workspace, open_workspace

__all__ = [
    "AccountStatus",
    "Adopted",
    "Attention",
    "BacktestReport",
    "CheckReport",
    "CreativeDetail",
    "CreativeReport",
    "DecisionResult",
    "DefinedTest",
    "DeliveryReport",
    "DemoReport",
    "ExperimentReport",
    "ExportResult",
    "ImportResult",
    "InForce",
    "NewToken",
    "Performance",
    "PlanReport",
    "Progress",
    "ResolveSummary",
    "ResultsTaken",
    "ReviewReport",
    "Scenario",
    "SelectionTotals",
    "SimulationReport",
    "Solving",
    "StepExport",
    "SuggestionDetail",
    "Told",
    "Tuning",
    "Workspace",
    "account_statuses",
    "accounts",
    "add_token",
    "approve",
    "approve_experiment",
    "at_rate",
    "attention",
    "audit",
    "backtest",
    "batches",
    "check",
    "check_predictive",
    "conflicts",
    "creative_test",
    "creative_tests",
    "define_creative_test",
    "defined_tests",
    "delete_plan",
    "delete_view",
    "deliveries",
    "demo",
    "edit",
    "edited",
    "end_creative_test",
    "event_names",
    "experiment",
    "explain_file",
    "export",
    "export_experiment",
    "export_formats",
    "exports",
    "grant",
    "grants",
    "import_files",
    "kept_scenario",
    "known_creatives",
    "latest_review",
    "latest_summary",
    "lock",
    "locks",
    "new_profile",
    "open_workspace",
    "performance",
    "person_actor",
    "plan",
    "plan_basis",
    "plan_names",
    "plans",
    "propose_experiment",
    "quarantine",
    "queue_stamp",
    "ready",
    "reject",
    "reject_experiment",
    "revert",
    "review",
    "revoke_token",
    "save_plan",
    "save_view",
    "settings_in_force",
    "simulate",
    "snooze",
    "solving",
    "stop_experiment",
    "suggest_from_plan",
    "suggestion",
    "suggestions",
    "token_actor",
    "tokens",
    "totals",
    "tune",
    "undo",
    "ungrant",
    "unmatched",
    "views",
    "why_not",
    "with_deliveries",
]

_HOMES = {
    "optimizer.reports": ("Told",),
    "optimizer.review.creative_detail": ("CreativeDetail",),
    "optimizer.workflows.access": (
        "NewToken",
        "add_token",
        "grant",
        "grants",
        "person_actor",
        "revoke_token",
        "token_actor",
        "tokens",
        "ungrant",
    ),
    "optimizer.workflows.attention": ("Attention", "attention"),
    "optimizer.workflows.auditing": (
        "CheckReport",
        "audit",
        "check",
    ),
    "optimizer.workflows.backtesting": (
        "BacktestReport",
        "backtest",
    ),
    "optimizer.workflows.checking": ("check_predictive",),
    "optimizer.workflows.creative_definitions": (
        "DefinedTest",
        "define_creative_test",
        "defined_tests",
        "end_creative_test",
        "known_creatives",
    ),
    "optimizer.workflows.creative_tests": (
        "CreativeReport",
        "creative_test",
        "creative_tests",
    ),
    "optimizer.workflows.deciding": (
        "approve",
        "edit",
        "lock",
        "reject",
        "snooze",
        "undo",
    ),
    "optimizer.workflows.delivery": (
        "DeliveryReport",
        "ResultsTaken",
        "deliveries",
        "with_deliveries",
    ),
    "optimizer.workflows.demo": (
        "DemoReport",
        "demo",
    ),
    "optimizer.workflows.experimenting": (
        "ExperimentReport",
        "StepExport",
        "approve_experiment",
        "experiment",
        "export_experiment",
        "propose_experiment",
        "reject_experiment",
        "stop_experiment",
    ),
    "optimizer.workflows.exporting": (
        "ExportResult",
        "export",
        "export_formats",
        "exports",
    ),
    "optimizer.workflows.importing": (
        "ImportResult",
        "accounts",
        "batches",
        "explain_file",
        "import_files",
        "new_profile",
        "quarantine",
        "unmatched",
    ),
    "optimizer.workflows.in_force": ("InForce", "locks", "settings_in_force"),
    "optimizer.workflows.monitoring": (
        "AccountStatus",
        "account_statuses",
        "ready",
    ),
    "optimizer.workflows.performance": ("Performance", "performance"),
    "optimizer.planning.scenarios": ("Scenario",),
    "optimizer.planning.tuning": ("Tuning",),
    "optimizer.workflows.planning": (
        "Adopted",
        "PlanReport",
        "delete_plan",
        "event_names",
        "kept_scenario",
        "plan",
        "plan_basis",
        "plan_names",
        "plans",
        "save_plan",
        "suggest_from_plan",
    ),
    "optimizer.workflows.queue": (
        "SelectionTotals",
        "SuggestionDetail",
        "at_rate",
        "conflicts",
        "edited",
        "queue_stamp",
        "suggestion",
        "suggestions",
        "totals",
        "why_not",
    ),
    "optimizer.workflows.resolving": ("DecisionResult", "ResolveSummary", "Solving", "solving"),
    "optimizer.workflows.reverting": ("revert",),
    "optimizer.workflows.reviewing": (
        "ReviewReport",
        "latest_review",
        "latest_summary",
        "review",
    ),
    "optimizer.workflows.simulating": (
        "SimulationReport",
        "simulate",
    ),
    "optimizer.workflows.tuning": ("tune",),
    "optimizer.workflows.views": ("delete_view", "save_view", "views"),
    "optimizer.workflows.workspace": (
        "Progress",
        "Workspace",
        "open_workspace",
    ),
}
"""Where each name lives: `optimizer --help` needs none of these modules, an answer only its own."""


class _Workflows(ModuleType):
    """This package: a name's module is imported with the name's first use (as PEP 562)."""

    def __getattr__(self, name: str) -> Any:
        home = next((module for module, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(home), name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Importing a module binds it here; one that is called like its workflow must not hide it."""
        if isinstance(value, ModuleType) and name in _HOMES.get(value.__name__, ()):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Workflows
