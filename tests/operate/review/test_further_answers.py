"""Each further question finds its largest, or names what would tell."""

from __future__ import annotations

import pandas as pd

from finops_lib.operate import further_answers


def test_further_answers() -> None:
    """Each question finds its largest; what the data does not hold names what would add it."""
    names = {"assistant": "helper", "workflow": "draft", "model": "large", "route": "r1"}
    usage = pd.DataFrame([
        names | {"department": "CX", "request_count": 30, "run_status": "ok", "user_group": "new", "retries": 6,
                 "retrieved_tokens": 10},
        names | {"department": "Legal", "request_count": 10, "run_status": "blocked", "user_group": "old", "retries": 1,
                 "retrieved_tokens": 0},
    ])  # fmt: skip
    wasted = pd.DataFrame({"call_class": ["abandoned", "useful"], "workflow": ["draft", "draft"], "cost": [2.0, 9.0]})
    breach = {key: names[key] for key in ("assistant", "workflow", "model")}
    routine = breach | {"breach": "premium on routine work", "exception": "none", "breach_cost": 8.0}
    breaches = pd.DataFrame([routine, routine | {"breach": "dearer tier", "breach_cost": 99.0}])
    tasks = pd.DataFrame({"workflow": ["draft"], "cost": [5.0], "accepted_tasks": [3], "accepted_known": [4]})
    found = further_answers(usage, wasted, breaches, tasks)

    assert [("draft", 2.0), ("CX", 6.0), ("r1", 10.0), ("new", 0.2), ("draft", 75.0)] == list(
        zip(found["answer"], found["how_much"], strict=True)
    )
    assert found["what_adds_it"].isna().all()
    unknown = further_answers(usage.head(0), wasted.head(0), breaches.head(0), tasks.head(0))
    assert unknown["answer"].isna().all()
    assert unknown["what_adds_it"].notna().all()
