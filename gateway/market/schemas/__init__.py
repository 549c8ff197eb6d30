"""What is in each event, written once: `events.d.ts` and tables of the documents are made of it.

Nothing that runs reads these types: the gateway relays any event, and takes what it needs from it.
Tests compare them with what main.py and the gateway send.

In reading order:

- `fields`: how a field is written down, in two languages.
- `quotes`: what the worker tells of the market.
- `states`: what the worker, and the gateway, tell of themselves.
- `questions`: what a client asks the gateway, and how it is answered.
- `catalogue`: the names of all events, with their types.
- `typescript`: `docs/events.d.ts`.
- `tables`: `docs/events.md`, in both languages.
- `reference`: writes these files.
"""
