"""From estimates and curves to what should be done, under budgets and guardrails.

`allocation` solves for levels under budgets, `bids` says which levels exist, `guardrails` which are
allowed, `keywords` judges pauses and search terms, `outcomes` what a set of moves would bring.
"""
