"""The modules of `gateway/web/security/`.

- `access`: who may do what: one judgement, in front of every route.
- `addresses`: host names and origins as requests carry them.
- `strikes`: who brings wrong tokens is answered more and more slowly.
- `token_files`: tokens that come and go: their files are read again when they change.
- `tokens`: tokens: who somebody is, what he may do, and until when.
- `trust`: who is trusted: what the options say, and what a caller may be.
"""
