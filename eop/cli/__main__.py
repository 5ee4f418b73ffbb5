"""`python -m eop.cli`: the program `eopctl`, wherever it was installed."""

from eop.cli import main

if __name__ == "__main__":
    main()
