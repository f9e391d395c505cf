"""Results as data: what a grade is made of, its JSON form and its schema. Knows no other part of the framework."""
