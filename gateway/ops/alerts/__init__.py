"""Tells people by webhook when the worker or a feed is in trouble, and when that is over.

`rules` finds out what is worth it, `limit` holds back what comes too often, `channels`
says it in the form of each receiver, and `delivery` tries until it has arrived, over
`client`, which is verified HTTPS.
"""
