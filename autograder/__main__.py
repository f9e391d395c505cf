"""`python -m autograder`: the command line, where no program of its name is on the path."""

from autograder.commands.main import main

if __name__ == "__main__":
    main()
