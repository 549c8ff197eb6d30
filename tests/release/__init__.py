"""What is published, made and tried as a stranger gets it: `python -m tests.release`, in a clone.

- `building`: makes the archive of the sources and the wheel from the files that Git knows.
- `archives`: what must be true of these two files.
- `installation`: an environment in which one of them is installed, and gateways there.
- `installed`: what must be true where one of them is installed.
- `__main__`: makes them, goes through all checks, and says what each one saw.
- `test_checklist`: CONTRIBUTING.md lists these checks.
"""
