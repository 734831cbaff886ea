"""Does an example really need its k skills? A judge, off by default because it costs a call each.

Skill-Mix (Yu et al., arXiv 2310.17567) grades one point per skill; Instruct-SkillMix has no such
check. Here every skill has to be marked present by the judge.
"""

from __future__ import annotations

import re
from dataclasses import replace

from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.skillmix.parse import BULLET
from seedbed.recipes.skillmix.skillset import normalise
from seedbed.records import Drop, Example, Message, Request, Review, Sampling

_VERDICT = re.compile(r"\W*(?P<verdict>yes|no)\b", re.IGNORECASE)

SAMPLING = Sampling(temperature=0.0, max_tokens=1024)
"""A verdict takes some ten tokens per skill; the rest is for judges that reason first."""


def skill_presence(judge: Model, prompts: Prompts) -> Review:
    """A review that drops an example unless the judge finds each of its skills at work in it.

    What the judge writes in another form is a drop too ("unjudged"): no verdict is not a yes.
    """

    async def review(example: Example) -> Example | Drop:
        skills = example.instruction.origin.skills
        text = prompts.fill(
            "presence",
            skills=", ".join(skills),
            instruction=example.instruction.text,
            response=example.response,
        )
        completion = await judge.complete(
            Request(messages=(Message("user", text),), sampling=SAMPLING)
        )
        return verdict(traced(example, completion.key), completion.text)

    return review


def traced(example: Example, call: str) -> Example:
    """The example with one more journal key among the calls behind it."""
    origin = example.instruction.origin
    return replace(
        example,
        instruction=replace(
            example.instruction, origin=replace(origin, calls=(*origin.calls, call))
        ),
    )


def verdict(example: Example, text: str) -> Example | Drop:
    """The example, or the objection that follows from the judge's lines, "skill: yes" or "no"."""
    skills = example.instruction.origin.skills
    found = {}
    for line in text.splitlines():
        skill, _, rest = BULLET.sub("", line).partition(":")
        if match := _VERDICT.match(rest):
            found[normalise(skill)] = match["verdict"].lower()
    if unjudged := [skill for skill in skills if normalise(skill) not in found]:
        return Drop(reason="unjudged", evidence={"skill": unjudged[0], "judge": text[:200]})
    if absent := [skill for skill in skills if found[normalise(skill)] == "no"]:
        return Drop(reason="skill_absent", evidence={"skills": ", ".join(absent)})
    return example
