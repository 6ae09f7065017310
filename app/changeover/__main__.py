"""`python -m changeover`."""

from changeover.cli import main

if __name__ == "__main__":
    main()
