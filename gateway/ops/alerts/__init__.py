"""Tells people outside of the page when the worker or a feed is in trouble, and when that is over.

- `alerts`: the whole: hears the gateway's own events, and tells every receiver.
- `rules`: which changes are worth an alert, and the limit for each subject.
- `wording`: an alert in words, in both languages.
- `receivers`: reads the lines of the alert file; what Slack, Discord, Telegram, LINE, ntfy,
  Alertmanager, a mail server, or whatever takes JSON is sent.
- `delivery`: tries again until an alert has arrived, one after the other.
- `posting`: one post over verified HTTPS; imported only where alerts are posted.
- `mailing`: one mail; imported only where alerts are mailed.

`gateway.app` imports it.
"""
