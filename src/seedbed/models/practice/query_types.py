"""The query types that the practice teacher knows, and the sentences that give an instruction one.

A frame sentence must not look like a material or a task: reading an instruction takes the frame
off from both ends, and a test holds every sentence to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PracticeQueryType:
    """A way to ask; `openings` go before a task and `closings` after it."""

    name: str
    definition: str
    examples: tuple[str, str]
    openings: tuple[str, ...]
    closings: tuple[str, ...]


NEUTRAL = PracticeQueryType("", "", ("", ""), ("",), ("",))

QUERY_TYPES: tuple[PracticeQueryType, ...] = (
    PracticeQueryType(
        "Help-Seeking",
        "The person is stuck with something of their own and wants a hand to get past it.",
        ("My bread never rises, what can I do?", "I can't get my numbers into order, please help."),
        ("I am stuck here.", "I could use a hand.", "Please help me out."),
        ("Thanks for your help.", "I can't manage it alone.", ""),
    ),
    PracticeQueryType(
        "Instructional",
        "The person wants to be led through a task step by step, so that they can do it next time.",
        ("Show me how to change a tyre.", "Teach me to put a list of names in order."),
        ("I want to learn this.", "Show me how it is done.", "Teach me this step by step."),
        ("Explain each step.", "I want to do it myself next time.", ""),
    ),
    PracticeQueryType(
        "Information-Seeking",
        "The person wants to know a fact or a result and has no further plan with it.",
        ("How far away is the moon?", "What is the total of these bills?"),
        ("I would like to know something.", "I have a question.", "I am curious about this."),
        ("What comes out?", "I only want to know the result.", ""),
    ),
    PracticeQueryType(
        "Comparative",
        "The person wants to set one thing against another and see where they differ.",
        ("Is a train or a bus better for 300 km?", "Is my total the same as my sister's?"),
        ("I want to compare results.", "My friend and I both tried this.", "We disagree on this."),
        ("I will compare it with mine.", "Then I can see who is right.", ""),
    ),
    PracticeQueryType(
        "Error Detection",
        "The person suspects a mistake in something and wants to have it found or ruled out.",
        ("Is there a bug in this loop?", "I think that my sum is off, what should it be?"),
        ("I fear I made a mistake.", "My own result looks wrong.", "Something is off in my notes."),
        ("What should I have got?", "I want to find my mistake.", ""),
    ),
    PracticeQueryType(
        "Planning",
        "The person prepares something that lies ahead and needs it laid out in advance.",
        ("Plan a week of dinners for two.", "When is the date 30 days after the start?"),
        ("I am planning ahead.", "I am making a plan for next week.", "I have to prepare this."),
        ("I need it for my plan.", "Then I can go on planning.", ""),
    ),
    PracticeQueryType(
        "Decision-Making",
        "The person has a choice to make and wants the grounds on which to make it.",
        ("Should I rent or buy?", "Which of these three offers is the lowest?"),
        ("I have to decide something.", "I have a choice to make.", "My decision hangs on this."),
        ("My choice depends on it.", "Then I can decide.", ""),
    ),
    PracticeQueryType(
        "Clarification-Seeking",
        "The person has met something that they do not fully understand and wants it made clear.",
        ("What does a modulus mean?", "Why is XL forty and not sixty?"),
        ("This is not clear to me.", "I do not quite get this.", "Please make this clear to me."),
        ("I want to understand it.", "Make it plain, please.", ""),
    ),
    PracticeQueryType(
        "Verification",
        "The person has a result or a belief already and wants it checked independently.",
        ("Is it true that bats are blind?", "Please check the sum on my receipt."),
        ("I want to check my result.", "Please check this for me.", "I need a second look."),
        ("I will check it against mine.", "Please be careful.", ""),
    ),
    PracticeQueryType(
        "Task Execution",
        "The person hands over a piece of work and wants nothing but the finished work.",
        ("Translate this label.", "Put these names in a table."),
        ("I have a task for you.", "Here is a small job.", "Do this for me."),
        ("That is all.", "Nothing more is needed.", ""),
    ),
    PracticeQueryType(
        "Conversational",
        "The person chats, and the question comes up in passing, in a friendly tone.",
        ("Guess what I cooked today!", "Funny thing, how many vowels has my name?"),
        ("Hello there!", "Good morning!", "Nice to meet you!"),
        ("Have a nice day!", "I am looking forward to it!", ""),
    ),
    PracticeQueryType(
        "Narrative",
        "The person tells a story or wants one, and the matter is part of that story.",
        ("Tell me how the fox got home.", "In my story a king counts his coins."),
        ("In my story, a wizard asks this.", "My hero meets a riddle.", "A king asks his clerk."),
        ("What does the clerk say?", "Then the story can go on.", ""),
    ),
    PracticeQueryType(
        "Situational",
        "The person describes where they are and what is going on, and asks what follows from it.",
        ("It rains and my tent leaks.", "I stand at the till with 20 dollars."),
        ("I am at work right now.", "I am in a shop.", "My train leaves soon."),
        ("I have little time.", "My boss is waiting.", ""),
    ),
    PracticeQueryType(
        "Feedback-Seeking",
        "The person shows something of their own and wants to hear how good it is.",
        ("How is my cover letter?", "I sorted these words, did I do well?"),
        ("I tried this myself first.", "I practised this today.", "I did this in class."),
        ("I want to see how well I did.", "Show me what a good answer is.", ""),
    ),
    PracticeQueryType(
        "Exploratory",
        "The person has no fixed goal and wants to see what happens when something is tried.",
        ("What if the earth turned faster?", "What do these words look like backwards?"),
        ("Let us try something.", "I am playing with ideas.", "I wonder what happens here."),
        ("Let us see what happens.", "I am curious about it.", ""),
    ),
    PracticeQueryType(
        "Troubleshooting",
        "Something that the person relies on has stopped working, and they want the way around it.",
        ("My printer prints blank pages.", "My calculator broke, what is 12 times 7?"),
        ("My calculator is broken.", "My program has crashed.", "My sheet does not work."),
        ("I need a way around it.", "It has to work today.", ""),
    ),
    PracticeQueryType(
        "Interpretation",
        "The person has data or a text in front of them and wants to know what it shows.",
        ("What does this chart tell us?", "What do my notes of this week add up to?"),
        ("I am looking at my notes.", "I found this in a letter.", "This is from a report."),
        ("What does it show?", "I want to know what is in it.", ""),
    ),
    PracticeQueryType(
        "Examination",
        "The person prepares for a test or gives one, and wants an answer as it should be given.",
        ("Ask me five questions on cells.", "What would be full marks for this sum?"),
        ("This is a test question.", "I have an exam soon.", "My teacher set this."),
        ("I want full marks.", "Answer as in an exam.", ""),
    ),
)

PURPOSES = (
    "It is for a school quiz.", "It is for my homework.", "It is for a game.",
    "It is for my shop.", "It is for our club.", "It is for a friend.", "It is for my diary.",
    "It is for a web page.", "It is for my garden.", "It is for a birthday card.",
    "It is for a report.", "It is for my kitchen.",
)  # fmt: skip

HEADS = ("There are several parts.", "I need each of these:", "Please answer every part.")
"""What may stand before the parts (a), (b), … of a task."""

FRAME_SENTENCES: tuple[str, ...] = tuple(
    sorted(
        {
            *PURPOSES,
            *HEADS,
            *(text for kind in QUERY_TYPES for text in (*kind.openings, *kind.closings) if text),
        },
        key=len,
        reverse=True,
    )
)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


_BY_NAME: Mapping[str, PracticeQueryType] = {_key(kind.name): kind for kind in QUERY_TYPES}


def query_type_named(name: str) -> PracticeQueryType:
    """The type of that name, however it is hyphenated; a neutral one for an unknown name."""
    return _BY_NAME.get(_key(name), NEUTRAL)
