import pytest

from optimizer import workflows
from optimizer.errors import NotFound, RefusedInput
from optimizer.tables import Actor
from optimizer.workflows import Workspace
from tests.workflows.shop_account import APPROVER, VIEWER

SHOWN = {"tab": ["bids"], "kind": ["raise", "lower"], "text": ["帐篷 & co"], "why": ["a1"]}


def test_a_view_comes_back_as_the_address_said_it(shop: Workspace) -> None:
    workflows.save_view(shop, "shop", " Mornings ", SHOWN, VIEWER)
    kept = {name: SHOWN[name] for name in ("tab", "kind", "text")}
    assert workflows.views(shop, "shop", VIEWER) == {"Mornings": kept}


def test_everybody_has_views_of_their_own(shop: Workspace) -> None:
    workflows.save_view(shop, "shop", "mine", {"tab": ["bids"]}, VIEWER)
    workflows.save_view(shop, "shop", "mine", {"tab": ["pauses"]}, APPROVER)
    assert workflows.views(shop, "shop", VIEWER) == {"mine": {"tab": ["bids"]}}
    workflows.delete_view(shop, "shop", "mine", VIEWER)
    workflows.delete_view(shop, "shop", "mine", VIEWER)
    assert workflows.views(shop, "shop", VIEWER) == {}
    assert workflows.views(shop, "shop", APPROVER) == {"mine": {"tab": ["pauses"]}}


def test_the_same_name_again_replaces_the_view(shop: Workspace) -> None:
    for tab in ("bids", "pauses"):
        workflows.save_view(shop, "shop", "mine", {"tab": [tab]}, VIEWER)
    assert workflows.views(shop, "shop", VIEWER) == {"mine": {"tab": ["pauses"]}}


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 61])
def test_names_that_cannot_be_shown_are_refused(shop: Workspace, name: str) -> None:
    with pytest.raises(RefusedInput, match="view_name_invalid"):
        workflows.save_view(shop, "shop", name, SHOWN, VIEWER)


def test_too_long_a_filter_and_an_unknown_account_are_refused(shop: Workspace) -> None:
    with pytest.raises(RefusedInput, match="view_too_long"):
        workflows.save_view(shop, "shop", "long", {"text": ["x" * 2000]}, VIEWER)
    with pytest.raises(NotFound):
        workflows.save_view(shop, "nobody", "v", SHOWN, Actor("vic", "viewer"))
