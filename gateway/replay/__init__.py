"""The worker of `--replay`: tells recorded events again, byte for byte, at their pace.

A program of its own, which the gateway runs and supervises like any worker:

    files -> Tape -> Player -> Connection -> the gateway
              Pace, Shift ---^       ^--- what a person asks for (`POST /replay`)

In reading order:

- `wishes`: what a replay can be asked for: a speed, a place, a pause.
- `tape`: the events of recordings, in their order.
- `pace`: which time of the recording it is now.
- `shift`: moves the times in an event.
- `frames`: the bytes of WebSocket frames, as a client sends and reads them.
- `connection`: the connection to the gateway.
- `player`: puts these together.
- `__main__`: the program.

It imports no Twisted.  `options`, `web/routes` and `app` import `wishes`, and nothing else of it.
"""
