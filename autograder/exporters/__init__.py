"""Grades and exercises in the forms of other programs. Reads results; knows neither judge nor sandbox."""
