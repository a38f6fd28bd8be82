"""Who earns most in the shipped markets? Rules that people use, the review, and an oracle, from no history.

`python -m simulations.bench_market [--markets a,b] [--policies a,b] [--seeds N] [--seed S] [--days N]
[--jobs N] [--json] [--record]`

As `optimizer simulate`, market by market; with --record each market's scores go into its entry in
bench_market.json beside this file as soon as they are known, beside those of other policies on the same
days and seeds. All play with configs/policies.yaml.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from optimizer import workflows
from optimizer.planning.policies import POLICIES
from optimizer.planning.scoreboard import better
from optimizer.settings import find_configs
from optimizer.tables import Actor

RECORD = Path(__file__).with_suffix(".json")
LIVES = ("first_seed", "seeds", "days")
KEYS = ("profit", "oracle_share", "late_share", "worst_decile", "deepest_loss", "spend")


def played(market: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Scores by policy of one market, what earned more than ours, and how long it took."""
    start = perf_counter()
    report = workflows.simulate(
        None,
        Actor("bench", "viewer"),
        markets=[market],
        policies=asked.policies.split(","),
        seeds=asked.seeds,
        first_seed=asked.seed,
        days=asked.days,
        jobs=asked.jobs,
    )
    return {
        "command": " ".join(["python -m simulations.bench_market", *sys.argv[1:]]),
        "first_seed": asked.seed,
        "seeds": asked.seeds,
        "days": asked.days,
        "seconds": round(perf_counter() - start, 1),
        "lost_to": report.scoreboard.lost_to()[market],
        "scores": report.to_json()[market],
    }


def _record(market: str, result: dict[str, Any]) -> None:
    known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    text = json.dumps({**known, market: beside(known.get(market), result)}, indent=1)
    RECORD.write_text(text + "\n", encoding="utf-8")


def beside(known: dict[str, Any] | None, result: dict[str, Any]) -> dict[str, Any]:
    """`result` with the scores of policies that only `known`, of the same lives, has."""
    if known is None or any(known.get(name, 0) != result[name] for name in LIVES):
        return result
    left = {name: one for name, one in known["scores"].items() if name not in result["scores"]}
    if not left:
        return result
    scores = {**known["scores"], **result["scores"]}
    return {
        **result,
        "command": f"{known['command']}; {result['command']}",
        "lost_to": better({name: one["profit"] for name, one in scores.items()}),
        "scores": scores,
    }


def _print(market: str, result: dict[str, Any]) -> None:
    print(f"{market}: {result['seeds']} seeds, {result['seconds']:.0f} s")
    for policy, score in result["scores"].items():
        told = "  ".join(f"{key} {score[key]:10.3f}" for key in KEYS if score[key] is not None)
        print(f"  {policy:18s} {told}")
    for ours, others in result["lost_to"].items():
        print(f"  earned more than {ours}: {', '.join(others)}")


def main() -> None:
    """Play, print, and with --record keep the scores."""
    markets = ",".join(path.stem for path in find_configs().files("markets"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", default=markets)
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    results = {}
    for market in asked.markets.split(","):
        results[market] = played(market, asked)
        if asked.record:
            _record(market, results[market])
        if not asked.json:
            _print(market, results[market])
    if asked.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
