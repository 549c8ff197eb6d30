"""The modules of `gateway/market/`.

- `codes`: codes that name one contract: the continuous `TXFR1` trades under the code of its
  target.
- `feed`: whether the feed of one market is silent while the market trades.
- `freshness`: how old everything is, and whether a feed went silent while its market trades.
- `hours`: when the markets of Taiwan trade, on the clock of Taipei.
"""
