"""Measure a student before and after each stage, and tell what came of it: scores, differences with a verdict, one report."""
