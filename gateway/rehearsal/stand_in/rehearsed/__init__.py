"""A broker that plays a recorded day, in the worker's own process; nothing but Python's library.

The worker's Python need not have the gateway's packages: this folder is first on its path.

- `face_1_2`: what a worker calls: signatures and types of version 1.2.
- `face_1_7`: the same of version 1.7.
- `client`: what both have.
- `broker`: the other end: login, subscriptions, faults, and who is called back.
- `day`: the recorded day up to now and on.
- `contracts`: contracts of a recording.
- `groups`: how contracts are found in them.
- `contracts_api`: how 1.7 finds them, too.
- `record`: objects that can also be read as a mapping.
- `values`: quotes as the library gives them.
- `topics`: the names of subscriptions.
- `orders`: accepted, filled at the recorded best price.
- `told`: calls the worker back about orders and the session.
- `faults`: the script of what goes wrong.
- `native`: what native code can do to a process.
- `clock`: what a rehearsal is told, and its time.
"""
