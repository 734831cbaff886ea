"""Did the model answer the instruction instead of rewriting it? Three signs, all in English.

Users of WizardLM met all three (nlpxucan/WizardLM, issue 8): the answer alone, the answer with an
opening that no request has, and a rewriting with its answer below. What a sign finds and what it
wrongly objects to, on real data, stands in the README.
"""

from __future__ import annotations

import re

from seedbed.records import Drop

_VERBS = (
    "account act adapt add adjust adopt advise analyse analyze answer append apply argue arrange "
    "ask assemble assess assign assume attach automate average award balance brainstorm break "
    "bring browse build buy calculate capitalize catalogue categorise categorize celebrate "
    "challenge change characterise characterize chart check choose circle cite clarify classify "
    "clean collect combine come comment compare compile complete compose compress compute "
    "conclude conduct conjugate connect consider construct contrast convert copy correct count "
    "craft create critique cut decide decode decrease deduce define delete deliver demonstrate "
    "depict derive describe design detail detect determine develop devise diagnose diagram "
    "differentiate discuss distinguish divide draft draw drop edit elaborate encode enter "
    "enumerate estimate evaluate examine exclude execute expand explain explore express extend "
    "extract extrapolate factor fill filter find fix flip follow forecast form format formulate "
    "gather generate get give graph group guess guide help highlight hypothesize identify "
    "illustrate imagine implement improve include increase indicate infer insert inspect "
    "integrate interpret intersect introduce invent invert investigate join judge justify keep "
    "label learn leave let's line link list listen locate look make map mark match measure "
    "memorize mention merge mirror model modify move multiply name note number obtain offer "
    "optimize order organize outline output paint paraphrase parse perform persuade pick pinpoint "
    "plan plot point predict prepare present pretend print prioritize produce pronounce propose "
    "prove provide punctuate put quote rank rate re-order read rearrange recalculate recall recap "
    "recast recite recognise recognize recommend reconcile reconstruct record redact redesign "
    "reduce refactor reflect reformulate reframe refute regroup remove reorder reorganize "
    "rephrase replace reply report research reshape resolve respond restate restructure retell "
    "return reverse review revise reword rework rewrite rhyme role-play rotate round run say "
    "scale scan schedule score search select separate shorten show simplify simulate sketch solve "
    "sort speak specify spell split spot state store strip study sub submit substitute suggest "
    "sum summarise summarize supply support suppose take teach tell test think total trace train "
    "transcribe transform translate transpose trim turn underline unscramble update use vary "
    "verify visualize vote walk weigh work write"
)
_LEADS = r"(?:[-*•>\"'(#]+|\(?\w{1,3}[.)]|please|also|then|and|now|finally|next|first|second)"
_DIRECTS = re.compile(
    rf"(?:\A|[.!?:;,\n]|\b(?:then|please))\s*(?:{_LEADS}\s+){{0,3}}"
    rf"(?:re-)?(?:{'|'.join(_VERBS.split())})\b(?!\s*(?:\(\w\))?[*_]*:)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？]|_{3,}|\bplease\b|\b(?:can|could|would|will) you\b|"
    r"\bi(?:'d| would)? (?:want|need|like) (?:to know |help|you|an? |the |some )|"
    r"\bi am looking for\b|\bhelp me\b|"
    r"\byour (?:task|job|response|answer|goal|assignment|solution|essay|report)\b|"
    r"\byou (?:are (?:asked|tasked|given|required|to)|must|should|need to|have to|will)\b|"
    r"\bmust (?:be|include|have|contain|use|also|not)\b|\bhow (?:to|do|would|many|much)\b|"
    r"(?:\A|[.!?\n]\s*)(?:what|which|why|who|whose|how)\b",
    re.IGNORECASE,
)

_OPENING = re.compile(
    r"\A\W{0,3}(?:sure|certainly|of course|absolutely|great question|good question|"
    r"(?:the )?(?:correct |right |final )?(?:answer|solution|result) (?:is|would be|:)|answer:|"
    r"yes,|no,|to (?:solve|answer) (?:this|the))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:[^\w\n]|_){0,4}(?:(?:sample|my|final|model|the|correct) )?"
    r"(?:answer|response|solution)(?: \(\w\))?[*_#]*:"
    r"[*_\s]*(?![<(_.…]|[\[{]\w)\S[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_FIRST, _LAST = 3, 2  # sentences in which a request is looked for
_SENTENCE_END = re.compile(r"(?<=[.!?？。])\s+|\n+")


def answered(parent: str, text: str) -> Drop | None:
    """Reason `answered`, with the sign: `opening`, `label` or `no_request`.

    `opening`: begins as responses do. `label`: a line "Answer: …" or "Solution: …" that the parent
    does not have. `no_request`: the parent asks or directs, and the text no longer does, neither
    in its first three nor in its last two sentences.
    """
    if (found := _OPENING.match(text)) and not _OPENING.match(parent):
        return _objection("opening", found[0])
    if (found := _LABEL.search(text)) and not _LABEL.search(parent):
        return _objection("label", found[0])
    if requests(parent) and not requests(text):
        return _objection("no_request", text)
    return None


def requests(text: str) -> bool:
    """Whether a text asks or directs somebody, as far as English words and signs tell."""
    prose = _FENCED.sub("\n", text).strip()
    sentences = [part for part in _SENTENCE_END.split(prose) if part.strip()]
    edges = sentences[:_FIRST] + sentences[_FIRST:][-_LAST:]
    return any(_ASKS.search(part) or _DIRECTS.search(part) for part in edges)


def _objection(sign: str, found: str) -> Drop:
    return Drop(reason="answered", evidence={"sign": sign, "found": found.strip()[:120]})
