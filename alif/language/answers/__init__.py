"""Answers in any language: numbers, options, equality."""
