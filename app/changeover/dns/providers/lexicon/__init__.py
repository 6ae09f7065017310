"""The bridge to dns-lexicon, for providers that have no file here: one record at a time, and looked after."""
