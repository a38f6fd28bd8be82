import json
from pathlib import Path

from optimizer import workflows
from optimizer.tables import Actor
from tests.workflows.shop_account import CONFIGS

ME = Actor("me", "admin")


def test_demo_makes_imports_and_reviews_and_can_be_run_again(tmp_path: Path) -> None:
    steps: list[str] = []
    first = workflows.demo(tmp_path, CONFIGS, ME, lambda step, done, total: steps.append(step))
    told = first.to_json()
    assert list(dict.fromkeys(steps)) == ["make", "import", "review"]
    assert len(told["review"]["suggestions"]) > 20
    assert told["duplicates"] == 0
    assert all(one["ok"] for result in told["imports"] for one in result["checksums"])
    json.dumps(told, allow_nan=False)
    again = workflows.demo(tmp_path, CONFIGS, ME).to_json()
    assert again["duplicates"] == len(again["files"]) == len(told["files"])
    assert again["review"]["suggestions"] == told["review"]["suggestions"]
