"""Who may do what: hosts, origins, tokens and proxies.

- `guard`: one judgement for every request, by the access that its route needs.
- `guard_settings`: who is allowed, as the options say it.
- `addresses`: host names, origins and addresses as requests carry them.
- `proxies`: which proxies are trusted, and for whom they ask.
- `tokens`: tokens, their roles and ends, what a file of them holds; `WrongTokens` delays answers.
- `token_files`: the files are read again when they change.

`web/http`, `web/routes`, `app`, `ops/doctor` and `cli` import these modules; they import only
`common`.
"""
