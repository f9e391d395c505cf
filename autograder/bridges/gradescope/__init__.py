"""Gradescope: the zip that its autograder is made from, and our results in the form of its `results.json`."""
