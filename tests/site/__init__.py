"""Builds the site of the documents, in both languages: `python -m tests.site`.

- `rest`: a page of all REST routes, made of the OpenAPI document.
- `chinese`: what that page says in Traditional Chinese.
- `test_rest`: its test, which needs no Sphinx.
- `__main__`: lays out what Sphinx reads, and lets it make the pages.
"""
