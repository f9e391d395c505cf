"""Bridges to programs that grade notebooks themselves (nbgrader, otter-grader): theirs the course, ours the judge.

Those programs run students' code and the tests in one Jupyter kernel. Here nothing of the sort happens when grades are
made: what was handed in goes to a judge process, as under `autograder grade`, and its points are put where the
program expects them. The heavy programs are imported by the modules named after them alone.
"""
