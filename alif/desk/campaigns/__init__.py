"""Blind campaigns: people judge answers without knowing whose they are, until the campaign is closed.

    plan.toml + answers that exist ─▶ freeze ─▶ campaign, blind answers, ballots │ blind_key: whose each is
    ballots ─▶ one card at a time ─▶ judgements ─▶ close ─▶ report with names, files in the run's folder

kind = "audit"      one answer a card: acceptable or not, by teacher
kind = "ab"         two answers a card: which is better, by pair of models
"""
