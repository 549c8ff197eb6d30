"""Commands for people and scripts: `python -m gateway COMMAND`.

None of them is needed to run the gateway, and nothing of the gateway imports them.  A command's
own modules are imported only when it runs.

In reading order:

- `commands`: the command line: which commands there are, their options, errors as one line.
- `errors`: what ends a command.
- `tail`: `tail`: events of a gateway as they come.
- `address`: the URL of a gateway.
- `conversation`: one Socket.IO session from the client's side, without I/O.
- `live_events`: connects a conversation to a gateway, again and again.
- `event_text`: one event as a line for people.
- `line_writer`: writes lines on a thread, so that a slow reader holds up nothing.
- `recordings`: `recordings`: what is recorded in a folder.
- `export`: `export`: bars of recordings.
"""
