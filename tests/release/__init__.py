"""What is published, made and tried as a stranger gets it: `python -m tests.release`, in a clone.

- `building`: makes the archive of the sources and the wheel from the files that Git knows.
- `archives`: what must be true of these two files.
- `newcomer`: what somebody reaches by typing what the documents say.
- `installation`: the environment that the newcomer has made then, and gateways there.
- `installed`: what must be true there.
- `__main__`: makes them, goes through all checks, and says what each one saw.
- `test_checklist`: CONTRIBUTING.md lists these checks.
"""
