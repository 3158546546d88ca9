"""The desk: people read a run's rows in a browser, and their verdicts flow back into the run.

    alif desk RUN ─▶ server ─▶ app ─┬─▶ people       invites, passwords, sessions, throttled logins
                                    ├─▶ review_slots claim, decide, undo, drafts: one row a wanted verdict
                                    ├─▶ cards        what a reader sees of a row
                                    ├─▶ adjudication where reviewers disagree
                                    ├─▶ practice     known answers, what all read first; reading_checks
                                    ├─▶ seed_writing seeds, with the nearest one; a second person approves
                                    ├─▶ review_files exports, and verdicts of other tools
                                    ├─▶ run_watch    what goes on; run_pictures, run_control, recipe_form
                                    └─▶ chat_answers the run's model, or another, one answer at a time
    runs/NAME/review_requests.jsonl ─▶ exchange ─▶ runs/NAME/verdicts.jsonl

`database` has the tables, `migrations` brings older ones up to date; each module of pages has a list of them,
which `desk_app` joins. The state of a slot is the outcome of its events, which nothing changes or removes.
Source: what people use today and what hurts them, docs/decisions/012-the-desk.md.
"""
