"""A whole class: which submissions there are, which judges grade them, what is written."""
