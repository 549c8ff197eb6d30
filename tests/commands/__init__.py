"""What the documents tell to type.

- `documents`: finds the commands in all documents.
- `listed`: the one list of all commands: who types each, or why nobody does.
- `desk`: a folder as a reader of the documents has it, and what is typed there.
- `test_listed`: the list has every command, and no more; what it says of other tests holds.

`tests.interop.test_commands` types those that no other test does.
"""
