"""`python -m followdata`."""

from followdata.cli import main

if __name__ == "__main__":
    main()
