"""Many runs from one recipe: what a setting does, measured with every step shared that the settings allow.

    alif ablate small --over adapter.rank=16,32,64          a grid of one's own
    alif ablate ablate-rank --recipe small                  a shipped study

    runs/STUDY/
      ledger.sqlite                  requests and replies of all siblings: nothing is asked twice
      adapter.rank-16-seed-3407/     a run as any other, without the export
      report.html table.json picture.svg

`study` reads what is asked, `grid` makes the siblings, `study_plan` says what they cost, `run_siblings` runs
them, `analysis` compares them, `study_page` writes the table, the picture and the page.
"""
