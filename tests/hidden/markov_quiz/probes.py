"""Calls that share something: a generator, the global one's seed, a list of the caller's."""



def start_after(function, start, *args):
    """What the list `start` holds after a call."""
    function(start, *args)
    return start
