"""No probe of its own: every answer of this exercise is plain data."""
