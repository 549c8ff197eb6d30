"""What sjgateway asks of the operating system that not every one has; one interface, two answers.

- `ends`: a TCP connection by its two ends.
- `system`: the interface, and who answers here.
- `linux`: Linux' answers: all that is promised.
- `portable`: the answers of any POSIX system; `docs/systems.md` says what is promised less.
- `children`: children that ended.
- `connections`: the TCP connections of processes, by psutil.
- `sock_diag`: the sockets behind connections (Linux).
- `proc`: processes, what they hold, and the kernel's counters, by proc(5) (Linux).
- `memory_file`: a file in memory without a name (Linux).
- `turn_end`: what is done at the end of the reactor's turn.
- `direct_poll`: the loop of epoll without log contexts and timed calls (Linux).

What a guardian asks is in `gateway/worker/process/guarding/tree.py`: it runs without the gateway.
"""
