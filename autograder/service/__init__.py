"""What the command line, notebooks, CI, Gradescope and other programs call: a course, its grader, its book.

    with Course.open("course") as course ... see `autograder` itself, which shows what of this room is public.

Nothing here prints, reads a command line or changes what the whole process shares (signals, environment, working
folder, language): all of it may be called from any thread.
"""
