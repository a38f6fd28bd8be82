"""Commands about rights: roles of people, tokens of programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from optimizer import workflows
from optimizer.interfaces.cli.running import Run, app, command
from optimizer.interfaces.cli.tables import text_table
from optimizer.tables import Role

grants = typer.Typer(help="Who may do what, once people log in.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens that let programs in over HTTP.", no_args_is_help=True)
app.add_typer(grants, name="grants")
app.add_typer(tokens, name="tokens")

Person = Annotated[str, typer.Argument(metavar="EMAIL", help="As the login provider has it.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.")]
RoleOption = Annotated[Role, typer.Option("--role", help="Each may do all that the former may.")]
Where = Annotated[str | None, typer.Option("--account", help="On this account; else on every one.")]
Days = Annotated[
    int | None, typer.Option("--days", min=1, max=3650, help="Valid so long; else until revoked.")
]
_GRANTS = ("Person", "Account", "Role", "Since", "By")
_TOKENS = ("Token", "Account", "Role", "Since", "By", "Valid until")


@command("list", group=grants)
def list_grants(run: Run) -> None:
    """List roles of people."""
    found = workflows.grants(run.workspace, run.actor)
    rows = (
        (each.person, each.account, each.role, each.granted_at, each.granted_by) for each in found
    )
    run.show(found, lambda run: _print(run, _GRANTS, rows))


@command("add", group=grants)
def add_grant(run: Run, person: Person, role: RoleOption, account: Where = None) -> None:
    """Give a person a role, in place of the one held there."""
    made = workflows.grant(run.workspace, person, role, run.actor, account)
    run.show(
        made, lambda run: run.say("{person} is {role} now.", person=made.person, role=made.role)
    )


@command("remove", group=grants)
def remove_grant(run: Run, person: Person, account: Where = None) -> None:
    """Take a person's role."""
    workflows.ungrant(run.workspace, person, run.actor, account)
    run.show({"person": person}, lambda run: run.say("Taken from {person}.", person=person))


@command("list", group=tokens)
def list_tokens(run: Run) -> None:
    """List tokens, revoked ones too; their secrets are not kept."""
    found = workflows.tokens(run.workspace, run.actor)
    rows = (
        (each.name, each.account, each.role, each.created_at, each.created_by, _end(run, each))
        for each in found
    )
    run.show(found, lambda run: _print(run, _TOKENS, rows))


@command("add", group=tokens)
def add_token(
    run: Run, name: Name, role: RoleOption, account: Where = None, days: Days = None
) -> None:
    """Make a token and print its secret, this once."""
    made = workflows.add_token(run.workspace, name, role, run.actor, account, days)
    run.show(made.to_json(), lambda run: _tell_secret(run, made.secret))


@command("revoke", group=tokens)
def revoke_token(run: Run, name: Name) -> None:
    """Let nobody in by a token any more."""
    gone = workflows.revoke_token(run.workspace, name, run.actor)
    run.show(gone, lambda run: run.say("Token {name} is revoked.", name=name))


def _tell_secret(run: Run, secret: str) -> None:
    run.line(secret)
    run.say("Keep it now: it is not shown again.")


def _end(run: Run, token: Any) -> str:
    if token.revoked_at is not None:
        return run.words.text("revoked {at}", at=run.words.moment(token.revoked_at))
    return run.words.moment(token.expires_at)


def _print(run: Run, headings: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    words = run.words
    shown = [
        (name, account or words.text("every account"), role, words.moment(at), *rest)
        for name, account, role, at, *rest in rows
    ]
    run.console.print(text_table(words, headings, shown))
