"""One function per verb; the only place that joins the store and the stages.

Every function takes the actor who asks and checks the role. A viewer reads; an operator imports,
reviews, rejects, snoozes and locks; an approver approves, edits, undoes and exports. All raise only
kinds of `OptimizerError`.
"""

from optimizer.reports import Told
from optimizer.workflows.auditing import CheckReport, audit, check
from optimizer.workflows.deciding import (
    DecisionResult,
    ResolveSummary,
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
from optimizer.workflows.queue import (
    SelectionTotals,
    SuggestionDetail,
    at_rate,
    conflicts,
    suggestion,
    suggestions,
    totals,
    why_not,
)
from optimizer.workflows.reviewing import ReviewReport, latest_review, review
from optimizer.workflows.workspace import Progress, Workspace, open_workspace

__all__ = [
    "CheckReport",
    "DecisionResult",
    "DeliveryReport",
    "DemoReport",
    "ExperimentReport",
    "ExportResult",
    "ImportResult",
    "Progress",
    "ResolveSummary",
    "ResultsTaken",
    "ReviewReport",
    "SelectionTotals",
    "StepExport",
    "SuggestionDetail",
    "Told",
    "Workspace",
    "accounts",
    "approve",
    "approve_experiment",
    "at_rate",
    "audit",
    "batches",
    "check",
    "conflicts",
    "deliveries",
    "demo",
    "edit",
    "experiment",
    "explain_file",
    "export",
    "export_experiment",
    "export_formats",
    "exports",
    "import_files",
    "latest_review",
    "lock",
    "new_profile",
    "open_workspace",
    "propose_experiment",
    "quarantine",
    "reject",
    "reject_experiment",
    "review",
    "snooze",
    "stop_experiment",
    "suggestion",
    "suggestions",
    "totals",
    "undo",
    "unmatched",
    "why_not",
    "with_deliveries",
]
