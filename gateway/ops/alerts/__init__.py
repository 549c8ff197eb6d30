"""Tells people by webhook when the worker or a feed is in trouble, and when that is over.

- `alerts`: the whole: hears the gateway's own events, and tells every receiver.
- `rules`: which changes are worth an alert, its text, and the limit for each subject.
- `webhooks`: reads a webhook's URL; the body for Slack, Discord, Telegram, or plain JSON.
- `delivery`: tries again until an alert has arrived, one after the other.
- `posting`: one post over verified HTTPS; imported only where alerts are sent.

`gateway.app` imports it.
"""
