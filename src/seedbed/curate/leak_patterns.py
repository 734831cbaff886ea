"""What leaked refinement commentary looks like: one row per way in which it was seen to happen.

A teacher that drafts, criticises itself and refines answers its own critique: it announces "the
refined response", praises it at the end, mentions the earlier draft or the length limit it was
given. Whoever reads the finished example sees one response and no draft, so all of this is noise,
and a student tuned on a little of it produces much more (6 % of the released Instruct-SkillMix
responses became half of the tuned model's outputs). Every regex is bounded: it reads a few hundred
characters past its first word at most, and alternatives do not overlap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Field = Literal["instruction", "response"]

Mend = Literal["sentence", "claim", "marker", "wrapper", "none"]
"""How a leak can be taken out: its whole sentence, its one adjective, its own characters, the two
marks around the text, not at all."""

Excuse = Literal["never", "revision", "advice", "reply", "length"]
"""What in the instruction makes the words legitimate.

`revision`: a text is to be rewritten or reviewed. `advice`: so is a plan, a strategy, a method.
`reply`: so is a response, an answer, an explanation. `length`: the user set a limit on length.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakPattern:
    kind: str
    regex: re.Pattern[str]
    mend: Mend
    field: Field = "response"
    excuse: Excuse = "never"
    words: tuple[str, ...]
    """Where none of these is in the lower-cased text, the regex cannot match: a fast way out."""


POLISHED = (
    r"(?:refined|revised|improved|enhanced|enriched|updated|upgraded|polished|reworked|revamped)"
)
MANNER = (
    r"(?:concise|complete|comprehensive|detailed|succinct|streamlined|clear|clearer|focused|"
    r"targeted|actionable|practical|structured|optimized|optimised|shorter|condensed|final|full|"
    r"fully|contained|specific|precise|enriched|more|highly|and|yet|but|well)"
)
ADJECTIVES = rf"(?:(?:{POLISHED}|{MANNER})[, ]{{1,2}}){{0,5}}"
REPLY = (
    r"(?:response|answer|reply)(?![\w-])"
    # An immune response, a response time, a response to an emergency are subjects, not the reply.
    r"(?! (?:times?|rates?|teams?|plans?|strateg\w+|systems?|capabilit\w+|protocols?|mechanisms?|"
    r"efforts?|efficienc\w+|coordination|speeds?|measures?|variables?|codes?|bod(?:y|ies)|keys?|"
    r"to (?!your|the (?:query|question|inquiry|instruction|prompt)|this (?:query|question))))"
)
DRAFT = r"(?:version|draft|rewrite|revision|iteration|refinement|rendition)\b"
EARLIER = r"(?:previous|prior|earlier|initial|original|first)"
GREETING = r"(?:(?:certainly|absolutely|sure|of course|understood|great)[!,.:]?\s{1,2})?"
HERE = r"(?:(?:here|below|following)(?:['’]s| is| are)?(?: an?| the| some| your| my)?)"
PRAISE = (
    r"\b(?:clar(?:ity|ifies|ifying)|clear\w*|concis\w+|succinct\w*|brevity|comprehensive\w*|"
    r"specific\w*|detail\w*|depth|deep\w*|practical\w*|actionable|engag\w+|insight\w*|"
    r"informative|nuanced|readab\w+|readers?|verbos\w+|example\w*|overview|structure\w*|tone|"
    r"strengths?|weakness\w*|relevan\w+|precis\w+|accura\w+|robust|guid\w+|understanding|"
    r"effective\w*|feedback|educational|compelling|constraints?|essen\w+|original|previous|"
    r"initial|narrative|straightforward|direct\w*|information|resource\w*|context\w*|audience)\b"
)
ANSWER_WORK = (  # what only the teacher can have written
    r"(?:guide(?:line)?s?|analys[ei]s|explanations?|comparisons?|breakdown|exploration|overview|"
    r"discussion|perspective|evaluation|feedback|critique|recommendations?|insights)\b"
)
ADVICE = (  # what the user may have brought along as an idea
    r"(?:approach(?:es)?|plans?|strateg(?:y|ies)|steps?|methods?|methodolog(?:y|ies)|framework|"
    r"blueprint|roadmap|timeline|suggestions|tips|process|set|use)\b"
)
USER_TEXT = (  # what the user may have brought along as a text
    r"(?:narratives?|stor(?:y|ies)|versions?|outlines?|lists?|pitch|emails?|letters?|proposals?|"
    r"scripts?|summar(?:y|ies)|review|recipe|examples?|dialogue|itinerary|code|program|poem|essay|"
    r"post|tweet|caption|description|schedule|checklist|curriculum|tutorial|advice|format|"
    r"template|draft|table|function)\b"
)
CLAIM = (
    rf"\b(?:this|these|following|{HERE}|below) (?:[a-z]{{4,14}}ly )?(?:{MANNER},? (?:and |yet |"
    rf"but )?)?{POLISHED}(?:,? (?:and |yet |but )?(?!response|answer|reply)[\w-]{{1,20}}){{0,3}}?"
)


_REPLY_WORDS = ("response", "answer", "reply")
_DRAFT_WORDS = ("version", "draft", "rewrite", "revision", "iteration", "refinement", "rendition")
_POLISH_WORDS = ("refined", "revised", "improved", "enhanced", "enriched", "updated", "upgraded",
                 "polished", "reworked", "revamped")  # fmt: skip
_WORDS: dict[str, tuple[str, ...]] = {
    "refined_response": _REPLY_WORDS,
    "refined_opening": (*_REPLY_WORDS, *_DRAFT_WORDS),
    "self_appraisal": ("response",),
    "version_appraisal": _DRAFT_WORDS,
    "refined_appraisal": _POLISH_WORDS,
    "earlier_draft": ("previous", "prior", "earlier", "initial", "original", "first"),
    "length_limit": ("constraint", "limit", "restriction"),
    "critique_section": (*_REPLY_WORDS, "feedback", "enhancement", "improvement", "refinement"),
    "stray_tag": ("[/",),
    "response_talk": (*_REPLY_WORDS, "feedback", "further refine"),
    "refinement_claim": _POLISH_WORDS,
    "improved_focus": _POLISH_WORDS,
    "trailing_label": ("revised", "refined", "improved", "enhanced"),
    "leading_label": (
        "instruction",
        "query",
        "prompt",
        "question",
        "task",
        *_REPLY_WORDS,
        "feedback",
    ),
    "stray_bold": ("**",),
    "trailing_hashes": ("###",),
    "response_in_instruction": _REPLY_WORDS,
}


def _row(
    kind: str,
    regex: str,
    mend: Mend,
    *,
    field: Field = "response",
    excuse: Excuse = "never",
) -> LeakPattern:
    return LeakPattern(
        kind=kind,
        regex=re.compile(regex, re.IGNORECASE | re.MULTILINE),
        mend=mend,
        field=field,
        excuse=excuse,
        words=_WORDS[kind],
    )


# fmt: off
PATTERNS: tuple[LeakPattern, ...] = (
    # The refine turn says "refine your response", so the answer names itself by that order.
    _row("refined_response", rf"\b{POLISHED}[, ]{{1,2}}{ADJECTIVES}{REPLY}", "sentence",
         excuse="reply"),
    _row("refined_response", rf"\bthis {POLISHED}[, ]{{1,2}}{ADJECTIVES}{REPLY}[^.\n]{{0,160}}?"
         rf"{PRAISE}", "sentence"),
    # The same order, met at the door: "Here's the concise and complete response:".
    _row("refined_opening", rf"\A\s{{0,4}}{GREETING}{HERE} (?=[^.:\n]{{0,40}}\b(?:{POLISHED}|"
         r"concise|complete|succinct|streamlined))[^.:\n]{0,60}\b(?:response|answer|reply)\b",
         "sentence", excuse="reply"),
    _row("refined_opening", rf"\A\s{{0,4}}{GREETING}{HERE} [^.:\n]{{0,40}}\b{DRAFT} of (?:the|"
         rf"your) (?:{MANNER} )?{POLISHED}\b", "sentence"),
    # "A concise version of the refined plan": the rewrite turn asked for one that is not cut off.
    _row("refined_opening", rf"\A\s{{0,4}}{GREETING}{HERE} (?=[^.:\n]{{0,40}}\b(?:{POLISHED}|"
         rf"concise|complete|succinct|streamlined|targeted))[^.:\n]{{0,60}}\b{DRAFT}",
         "sentence", excuse="revision"),
    # The critique turn asks for strengths and weaknesses; the closing answers that list.
    _row("self_appraisal", rf"\bthis (?:[\w'-]{{1,20}}[, ]{{1,2}}){{0,3}}?(?!answer|reply)"
         rf"{REPLY}(?! (?:explores|delves|elucidates|examines|discusses|describes|analy[sz]es|"
         rf"will)\b)[^.\n]{{0,160}}?{PRAISE}", "sentence", excuse="reply"),
    _row("version_appraisal", rf"\b(?:this|the) {ADJECTIVES}{DRAFT}(?: of (?:the|your|my) "
         rf"(?:[\w'-]{{1,20}} )?(?:speech|{USER_TEXT}))?,? (?:now |also |\w{{3,14}}ly )?"
         r"(?:maintain|retain|preserv|keep|kept|address|ensur|refin|provid|offer|deliver|incorporat|includ|is|focus|add|aim|enhanc|"
         rf"encapsulat|streamlin|combin|balanc|remain|communicat)\w{{0,4}}\b[^.\n]{{0,200}}?"
         rf"{PRAISE}", "sentence", excuse="revision"),
    _row("refined_appraisal", rf"\bthe {POLISHED} [\w-]{{3,20}} (?:now |also )?(?:maintain|retain|"
         r"preserv|ensur|provid|offer|emphasi|highlight|integrat|incorporat)\w{0,4}\b"
         rf"[^.\n]{{0,200}}?{PRAISE}", "sentence", excuse="revision"),
    # Comparing with a draft that only the teacher saw.
    _row("earlier_draft", rf"\b(?:the|your|my|its|from) (?:previous|prior|earlier) {REPLY}",
         "sentence", excuse="reply"),
    _row("earlier_draft", r"\b(?:strength|weakness|shortcoming|gap|clarity|structure|essence|"
         rf"tone|nature|feedback|approach)\w{{0,3}}[^.\n]{{0,60}}\b{EARLIER}"
         r"(?: \w{1,20})? (?:response|answer|draft|version|attempt)\b", "sentence",
         excuse="revision"),
    _row("earlier_draft", r"\b(?:address|fix|correct|resolv|overcom|based on)\w{0,4} (?:the )?"
         r"(?:previous|earlier|prior|initial) (?:weakness|shortcoming|feedback|critique|lack|gap|"
         r"criticism|limitation)\w{0,3}\b", "sentence", excuse="revision"),
    # The rewrite turn says that the response may have been cut off and has to fit.
    _row("length_limit", r"\b(?:fit|fits|fitting|within|meets?|meeting|contained|adher\w{1,4} to|"
         r"constraints? of|address\w{0,3}) [^.\n]{0,30}?\b(?:length|token|response) "
         r"(?:constraint|limit|limitation|restriction)s?\b", "sentence", excuse="length"),
    _row("length_limit", r"\b(?:fit|fits|fitting) within (?:the )?(?:given )?constraints? ?"
         r"(?:of length|[:.])", "sentence", excuse="length"),
    # The student goes on playing all turns: it heads new drafts and asks its critic for more.
    _row("critique_section", r"^[ \t>#*_\[-]{0,8}(?:"
         rf"(?:{POLISHED} (?:response|answer|instruction)|(?:final|original|initial) response)"
         r"|(?:enhancement )?feedback (?:request\w{0,2}|encouraged|welcomed?|incorporated|on your "
         r"feedback|and (?:improvement|suggestion|refinement)s?(?=:?[*_]{0,2}:?[ \t]{0,4}$)|"
         r"is (?:welcome|appreci)|& improvements?|example)"
         r"|(?:enhancement|improvement|change|refinement)s?(?: made)? (?:in|to|from) (?:this|the|"
         r"previous|original)(?: \w{1,12})? (?:version|response|answer)"
         r"|end of (?:response|feedback|answer)|original feedback)\b[^\n]{0,120}", "none",
         excuse="reply"),
    _row("critique_section", r"^[ \t>#*_-]{0,8}(?:key )?(?:enhancement|improvement|refinement)s?"
         r"(?: made)?:?[*_]{0,2}:?[ \t]{0,4}\n{1,2}(?:[^\n]{0,60}[:.][*_]{0,2}:? )?[^\n]{0,3}"
         r"(?:add(?:s|ed|ing)|incorporat(?:es|ed|ing)|includ(?:es|ed|ing)|provid(?:es|ed|ing)|"
         r"emphasi[sz]es|highlights|clarifie[sd]|enhance[sd]|introduce[sd]|expand(?:s|ed)|offers|"
         r"the response)\b", "none", excuse="revision"),
    _row("stray_tag", r"\s{0,4}\[/(?:response|inst|answer)\]\s{0,4}\Z", "marker"),
    # Talk about the response as a thing to be graded.
    _row("response_talk", rf"\b(?:enhanc|improv|enrich|elevat|strengthen|refin|complement|adapt)"
         rf"\w{{0,3}} (?:and \w{{1,12}} )?(?:the|this|your|our) {REPLY}(?!s)", "none",
         excuse="reply"),
    _row("response_talk", r"\b(?:the|your) (?:response|answer)(?:['’]s \w{3,20}| (?:now "
         r"|also )?(?:is (?:now|streamlined|concise|succinct|refined|structured|strengthened|"
         r"designed)|delves|emphasizes|maintains|retains|avoids|offers a comprehensive|not only|"
         r"stays|remains concise|now))\b", "sentence", excuse="reply"),
    _row("response_talk", r"\b(?:(?:in|throughout|of|with|if|by) this|(?:discussed|covered|"
         r"mentioned|used|described|presented) in the) (?:refined |revised |improved |enhanced )?"
         r"response\b"
         r"(?=[,.;:)]|\W{0,3}\Z| (?:meets|effectively|accurately|to be|is clear|and))", "none",
         excuse="reply"),
    _row("response_talk", r"\bfurther refine (?:and (?:improve|adapt|enhance) )?(?:this|the|our) "
         r"(?:response|answer|content)\b|\bfeedback[^.\n]{0,40} welcomed? to further\b", "none",
         excuse="reply"),
    # Work that nobody had seen before is called refined; without that word the sentence stands.
    _row("refinement_claim", rf"{CLAIM} {ANSWER_WORK}", "claim", excuse="reply"),
    _row("refinement_claim", rf"{CLAIM} {ADVICE}", "claim", excuse="advice"),
    _row("refinement_claim", rf"{CLAIM} {USER_TEXT}", "claim", excuse="revision"),
    _row("refinement_claim", rf"^[ \t]{{0,4}}(?:#{{1,4}} |\*\*)(?:refined|revised)"
         rf"(?: [\w-]{{1,20}}){{0,3}}? (?:planning\b|{ANSWER_WORK}|{ADVICE})", "claim",
         excuse="advice"),
    _row("improved_focus", r"\b(?:guide|plan|approach|strategy|breakdown|overview) (?:with|"
         rf"featuring) {POLISHED} (?:focus|detail|clarity|content|specificity|examples)\b",
         "sentence", excuse="revision"),
    # The parser cut at "Response:" and left the first word of "Refined Response:".
    _row("trailing_label", r"(?:\n[ \t]{0,4}\n|(?<=[.?!\"”*])[ \t])[\s#*_]{0,8}"
         r"(?-i:Revised|Refined|Improved|Enhanced)(?: (?:Response|Answer|Version))?"
         r"[\s:*#_]{0,8}\Z", "marker", field="instruction"),
    _row("leading_label", rf"\A[\s#*_]{{0,8}}(?:{POLISHED}|final|new) (?:instruction|query|prompt|"
         r"question|task)[*_]{0,2}:[*_]{0,2}\s{0,4}", "marker", field="instruction"),
    _row("leading_label", r"\A\s{0,4}(?:#{2,4} ?|\*\*)(?:instruction|query|prompt)[*_]{0,2}:"
         r"[*_]{0,2}\s{0,4}", "marker", field="instruction"),
    _row("leading_label", rf"\A[\s#*_]{{0,8}}{POLISHED} (?:response|answer|feedback)"
         r"[*_]{0,2}:?[*_]{0,2}[ \t]{0,4}\n\s{0,4}", "marker"),
    _row("leading_label", r"\A\s{0,4}#{2,4} ?(?:response|answer):?\s{1,4}", "marker"),
    # A bold label that the parser cut in two: "**Refined Instruction:**\n" leaves "**\n".
    _row("stray_bold", r"\A\s{0,4}\*\*(?:[ \t]{0,4}\n\s{0,8}|[ \t]{1,4}(?![^\n]*\*\*))",
         "marker"),
    _row("stray_bold", r"\A\s{0,4}\*\*[ \t]{0,4}\n\s{0,8}", "marker", field="instruction"),
    _row("stray_bold", r"\s{0,4}\n[ \t]{0,4}\*\*[ \t]{0,4}\Z", "marker"),
    _row("stray_bold", r"\s{0,4}\n[ \t]{0,4}\*\*[ \t]{0,4}\Z", "marker", field="instruction"),
    # The bold opened before a question and was never closed; `**kwargs` has no capital.
    _row("stray_bold", r"\A\s{0,4}\*\*(?=[A-Z\"“])(?![^\n]*\*\*)(?-i:(?=[A-Z\"“]))", "marker",
         field="instruction"),
    _row("trailing_hashes", r"\s{0,4}\n[ \t]{0,4}#{3,4}[ \t]{0,4}\Z", "marker"),
    _row("trailing_hashes", r"\s{0,4}#{3,4}[ \t]{0,4}\Z", "marker", field="instruction"),
    # The whole second half of a turn was taken for the instruction.
    _row("response_in_instruction", rf"\bThis {POLISHED} {REPLY}[^.\n]{{0,160}}?{PRAISE}", "none",
         field="instruction"),
    _row("response_in_instruction", r"^[#*_ ]{0,6}(?:#{2,4} ?|\*\*)(?:"
         rf"{POLISHED} )?(?:response|answer):", "none", field="instruction"),
)
# fmt: on

_REVISE = (
    r"\b(?:revis|refin|improv|rewrit|re-writ|edit|proofread|rephras|paraphras|polish|review|"
    r"critiqu|evaluat|assess|rat|grad|judg|compar|shorten|condens|correct|updat|enhanc|optimi[sz]|"
    r"fix|simplif)(?:y|e|es|ed|ing|s)?\b"
)
EXCUSES: dict[Excuse, re.Pattern[str]] = {
    "revision": re.compile(
        rf"{_REVISE} (?:and \w{{1,12}} )?(?:this|these|the (?:following|given|provided|text|"
        r"sentence|passage|paragraph|article|draft|code|email|essay|below|excerpt|above|script|"
        r"document)|it\b|my (?:\w{1,15} )?(?:draft|text|essay|email|letter|article|story|script|"
        r"code|poem|speech|paragraph|resume|proposal|plan|post))"
        r"|\b(?:feedback|suggestions|critique|comments) (?:on|for|about) (?:this|my|the)\b"
        r"|\b(?:i['’]ve|i have|have|just|we['’]ve) (?:\w{1,12} )?(?:drafted|written|composed|"
        r"crafted|authored|wrote)\b|\bmy (?:\w{1,15} )?draft\b|\bexcerpt\b|\bgrammatical"
        r"|\b(?:revised|rewritten|improved|updated|enhanced|refined) (?:\w{1,15} )?(?:version|"
        r"draft|text)|\b(?:re-?writ|rephras|paraphras|proofread|summari[sz])|\bversions?\b",
        re.IGNORECASE,
    ),
    "advice": re.compile(rf"{_REVISE}[^.?!\n]{{0,60}}\b{ADVICE}", re.IGNORECASE),
    "reply": re.compile(
        rf"{_REVISE}[^.?!\n]{{0,40}}\b(?:{REPLY}|responses|answers|replies|"
        r"(?:guide|analysis|explanation|comparison|overview|critique|evaluation)s?\b)",
        re.IGNORECASE,
    ),
    "length": re.compile(
        r"\b(?:length|words?|characters?|limit|short|brief|tweet|tokens?|constraints?|"
        r"sentences?)\b",
        re.IGNORECASE,
    ),
}
