"""Figures, tables, sentences, executed notebooks and pages: what a reader sees."""
