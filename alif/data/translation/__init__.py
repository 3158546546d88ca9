"""Rows of the source language, translated by a teacher."""
