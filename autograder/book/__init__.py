"""The book of a course: every graded attempt, what teachers decided, who handed in what, and the grades that follow."""
