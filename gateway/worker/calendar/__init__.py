"""The modules of `gateway/worker/calendar/`.

- `schedule`: when the worker is restarted by the calendar, and when it is to be up at all.
- `timetable`: starts, stops and restarts by the calendar.
"""
