"""The prompts that the practice teacher knows, in the order in which they are tried.

To teach it another recipe: write a recogniser and an answer, and give them a row. A recogniser
looks for headings and key words, because users reword prompts; rows that look at the last turn of
a conversation come first, and the plain instruction, which takes everything, comes last.
"""

from __future__ import annotations

import re

from seedbed.models.practice import conversations, evolving, lists, self_instruct
from seedbed.models.practice.asked import ANSWER, EXAMPLE, Asked, PracticeTask
from seedbed.models.practice.reading import ends_with_heading, labelled, section, slot


def _says(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _goes_on(asked: Asked) -> bool:
    return len(asked.turns) > 1


def _asks_to_complete(asked: Asked) -> bool:
    return _goes_on(asked) and _says(r"\bcut (?:short|off)\b|\blength limit\b", asked.prompt)


def _asks_to_refine(asked: Asked) -> bool:
    """Refining speaks of the list of weaknesses as well, but shows the form of a conversation."""
    return (
        _goes_on(asked)
        and _says(r"\b(?:refine|improve|revise|mend)\b", asked.prompt)
        and bool(_shows_form(asked) or not _says(r"\bweakness", asked.prompt))
    )


def _shows_form(asked: Asked) -> bool:
    return bool(section(asked.prompt, "instruction") and section(asked.prompt, "response"))


def _asks_for_critique(asked: Asked) -> bool:
    return _goes_on(asked) and _says(r"\bweakness", asked.prompt)


def _asks_for_presence(asked: Asked) -> bool:
    return ends_with_heading(asked.prompt, "verdicts", "verdict")


def _asks_to_relabel(asked: Asked) -> bool:
    return ends_with_heading(asked.prompt, "chosen skills") or bool(
        section(asked.prompt, "list") and _says(r"\bclosed list\b", asked.prompt)
    )


def _asks_for_label(asked: Asked) -> bool:
    return ends_with_heading(asked.prompt, "skills") and bool(section(asked.prompt, "instruction"))


def _asks_for_skills(asked: Asked) -> bool:
    return bool(labelled(asked.prompt, "topic")) and _says(r"\bskills?\b", asked.prompt)


def _asks_for_topics(asked: Asked) -> bool:
    return ends_with_heading(asked.prompt, "topics") or bool(
        labelled(asked.prompt, "number of topics")
    )


def _asks_for_families(asked: Asked) -> bool:
    return ends_with_heading(asked.prompt, "families")


def _asks_to_infer_query_types(asked: Asked) -> bool:
    return bool(section(asked.prompt, "instructions")) and _says(r"\btypes\b", asked.prompt)


def _asks_for_query_types(asked: Asked) -> bool:
    return bool(labelled(asked.prompt, "number of (?:query )?types"))


def _asks_for_draft(asked: Asked) -> bool:
    return bool(slot(asked.prompt, "skills") and slot(asked.prompt, "query type", "task type"))


def _asks_for_a_sentence(asked: Asked) -> bool:
    return _says(r"\bone sentence\b", asked.prompt) and _says(r"\bat random\b", asked.prompt)


def _asks_for_brief(asked: Asked) -> bool:
    return ends_with_heading(asked.prompt, "brief reply")


def _asks_for_junk(asked: Asked) -> bool:
    return ends_with_heading(asked.prompt, "lazy reply")


def _anything(_: Asked) -> bool:
    return True


TASKS: tuple[PracticeTask, ...] = (
    PracticeTask("complete", _asks_to_complete, conversations.complete, EXAMPLE),
    PracticeTask("refine", _asks_to_refine, conversations.refine, EXAMPLE | {"leaked_commentary"}),
    PracticeTask("critique", _asks_for_critique, conversations.critique),
    PracticeTask("evolve", evolving.asks_to_evolve, evolving.evolve, evolving.EVOLVING),
    PracticeTask("compare", evolving.asks_to_compare, evolving.compare),
    PracticeTask(
        "new_tasks",
        self_instruct.asks_for_tasks,
        self_instruct.list_tasks,
        EXAMPLE | {"duplicate", "imitated"},
    ),
    PracticeTask("kind", self_instruct.asks_for_kind, self_instruct.tell_kind),
    PracticeTask(
        "instances", self_instruct.asks_for_instances, self_instruct.show_instances, EXAMPLE
    ),
    PracticeTask("presence", _asks_for_presence, lists.presence),
    PracticeTask("brief", _asks_for_brief, conversations.brief, frozenset({"refused"})),
    PracticeTask("junk", _asks_for_junk, conversations.junk, frozenset({"refused"})),
    PracticeTask("relabel", _asks_to_relabel, lists.relabel),
    PracticeTask("label", _asks_for_label, lists.label),
    PracticeTask("cluster", _asks_for_families, lists.cluster),
    PracticeTask("infer_query_types", _asks_to_infer_query_types, lists.infer_query_types),
    PracticeTask("draft", _asks_for_draft, conversations.draft, EXAMPLE | {"duplicate"}),
    PracticeTask("topics", _asks_for_topics, lists.list_topics),
    PracticeTask("skills", _asks_for_skills, lists.list_skills),
    PracticeTask("query_types", _asks_for_query_types, lists.list_query_types),
    PracticeTask("sentence", _asks_for_a_sentence, lists.sentence),
    PracticeTask("answer", _anything, conversations.answer, ANSWER),
)


def task_of(asked: Asked) -> PracticeTask:
    return next(task for task in TASKS if task.recognise(asked))
