"""Success rates by operation and round; they must come out of a replay as they went in."""

from __future__ import annotations

from dataclasses import replace

from tests.recipes.evol_instruct.teachers import Teacher, given, grown, harder, seeds

from seedbed.recipes.evol_instruct.params import Params
from seedbed.recipes.evol_instruct.rates import Rates
from seedbed.records import Example, Instruction, Request, digest


def test_every_evolution_is_counted_once_under_its_operation_and_round() -> None:
    def rewrite(request: Request) -> str:
        return given(request) if digest(request.to_json())[0] in "01234" else harder(request)

    start = [Example(instruction=one, response="Done.") for one in seeds(20)]
    params = replace(Params(), originals="keep")
    counted = []
    for window in (1, 100):
        rates = Rates()
        examples, drops = grown(
            Teacher(rewrite=rewrite), replace(params, window=window), given=[*start, start[0]]
        )
        for example in examples:
            rates.keep(example)
        for item, objection in drops:
            rates.drop(item, objection)
        counted.append(rates.to_json())
    assert counted[0] == counted[1]
    rows = counted[0]["operations"].values()
    assert sum(row["tried"] for row in rows) == 80
    assert sum(row["kept"] for row in rows) == len(examples) - 20
    assert list(counted[0]["rounds"]) == ["1", "2", "3", "4"]
    assert all(row["tried"] == 20 for row in counted[0]["rounds"].values())
    assert all(row["share"] == round(row["kept"] / row["tried"], 4) for row in rows)
    assert sum(row["reasons"].get("unchanged", 0) for row in rows) == len(drops) - 1


def test_a_run_that_begins_with_another_runs_examples_counts_its_own_only() -> None:
    before, _ = grown(Teacher(), replace(Params(), rounds=1), given=seeds(3))
    rates = Rates()
    examples, _ = grown(
        Teacher(), replace(Params(), rounds=2, originals="keep", seed=1), given=before
    )
    for example in examples:
        rates.keep(example)
    assert len(examples) == 9
    assert sum(row["kept"] for row in rates.to_json()["operations"].values()) == 6
    assert Rates().to_json() == {"operations": {}, "rounds": {}}
    assert isinstance(before[0].instruction, Instruction)
