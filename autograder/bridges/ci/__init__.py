"""Results for continuous integration: JUnit XML, Markdown, annotations, Code Quality, GitHub Classroom.

Everything in a result may have been written by the student whose code was run: each writer escapes all of it.
"""
