"""What every command does around its own few lines: options, workspace, output, exit code."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.json_values import json_text
from optimizer.interfaces.local_person import local_person
from optimizer.interfaces.locale import Translator, pick_language
from optimizer.interfaces.sentences import error_lines
from optimizer.tables import Actor

app = typer.Typer(
    name="optimizer",
    help="Daily bid review: reports in, evidence and suggestions out, nothing applied unapproved.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

REFUSED = 1


@dataclass(frozen=True)
class Run:
    """One command under way: where its data are, who asked, and how to answer.

    `open` opens the store on first use and keeps it open for the command.
    """

    store: Path | None
    configs: Path | None
    open: Callable[[], workflows.Workspace]
    actor: Actor
    words: Translator
    as_json: bool
    console: Console

    @property
    def workspace(self) -> workflows.Workspace:
        """The open store and its settings."""
        return self.open()

    def show(self, value: Any, draw: Callable[[Run], None]) -> None:
        """Answer with `value` as JSON, or let `draw` print it for a person."""
        if self.as_json:
            print(json_text(value))
        else:
            draw(self)

    def say(self, english: str, **fields: Any) -> None:
        """One translated line for a person."""
        self.line(self.words.text(english, **fields))

    def line(self, text: str) -> None:
        """One line exactly as it is: names in it are never markup."""
        self.console.print(text, markup=False, highlight=False)

    def in_currency(self, currency: str | None) -> Run:
        """The same run, money shown in `currency`."""
        return replace(self, words=Translator(self.words.language, currency))


_COMMON = {
    "store": Annotated[
        Path | None,
        typer.Option("--store", help="Data folder; else $OPTIMIZER_STORE, else the user's own."),
    ],
    "configs": Annotated[
        Path | None,
        typer.Option("--configs", help="Settings folder; else $OPTIMIZER_CONFIGS, else ./configs."),
    ],
    "lang": Annotated[str | None, typer.Option("--lang", help="zh or en.")],
    "as_json": Annotated[bool, typer.Option("--json", help="Print JSON.")],
}
_DEFAULTS = {"store": None, "configs": None, "lang": None, "as_json": False}


def command(
    name: str, *, group: typer.Typer = app
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `function(run, ...)` as a command that also takes the common options."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def invoke(store: Any, configs: Any, lang: Any, as_json: bool, **own: Any) -> None:
            with running(store, configs, lang, as_json, own.get("account")) as run:
                function(run, **own)

        parameters = [*_own_parameters(function), *_common_parameters()]
        invoke.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        invoke.__annotations__ = {each.name: each.annotation for each in parameters}
        return group.command(name)(invoke)

    return register


def _own_parameters(function: Callable[..., None]) -> Sequence[inspect.Parameter]:
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    return [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]


def _common_parameters() -> Sequence[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(name, kind, default=_DEFAULTS[name], annotation=annotation)
        for name, annotation in _COMMON.items()
    ]


@contextmanager
def running(
    store: Path | None,
    configs: Path | None,
    lang: str | None,
    as_json: bool,
    account: str | None = None,
) -> Iterator[Run]:
    """A run; an `OptimizerError` becomes a message (money in the account's) and exit code 1."""
    words = Translator(pick_language(lang))
    with ExitStack() as stack:
        opened = cache(lambda: stack.enter_context(workflows.open_workspace(store, configs)))
        try:
            yield Run(store, configs, opened, local_actor(), words, as_json, people_console())
        except OptimizerError as error:
            with suppress(OptimizerError):
                known = {each.name: each for each in workflows.accounts(opened(), local_actor())}
                words.currency = known[account].currency if account in known else None
            complain(error, words, as_json)
            raise typer.Exit(REFUSED) from error


def complain(error: OptimizerError, words: Translator, as_json: bool) -> None:
    """The error as JSON on stdout, or in words on stderr."""
    if as_json:
        print(json_text({"error": {"code": error.code, "fields": error.fields}}))
    else:
        print("\n".join(error_lines(words, error)), file=sys.stderr)


def local_actor() -> Actor:
    """The person at this machine's command line: may do everything."""
    return Actor(local_person(), "admin")


def people_console() -> Console:
    """Wide enough for a table when the output is not a terminal."""
    console = Console(soft_wrap=False)
    return console if console.is_terminal else Console(width=140)
