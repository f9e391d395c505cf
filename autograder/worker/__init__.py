"""What runs beside the student's code, in the locked process: the loader, the dispatcher, the generic probes.

Nothing here knows a check, an answer or a limit.
"""
