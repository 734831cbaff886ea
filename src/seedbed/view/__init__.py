"""A local web page to look into a run: browse, read, judge by hand, follow.

    a run's files ─► worker (another process): index.db in a temporary folder, similarities
                                                    ▲ reads
    browser ◄─ pages, JSON ─ server (loopback, token) ─┴─ journal.db, read only
                                └─ decisions.jsonl, the only thing that is written in the run

What a model wrote is untrusted. It reaches the page as JSON and is put there as text; Markdown is
parsed here into a tree of a few known elements (`markdown.py`), never into HTML. The page may run
its own scripts only, and may turn no string into markup (`security.py`).
"""
