"""Measure systems on benchmarks: scores with intervals, paired differences with verdicts."""
