"""The daily review: `daily.review_account` is the whole pure chain, `resolve` its re-solve.

`suggestions` holds the values, `evidence` the numbers behind one suggestion, `approvals` the states
of a decision, `exports` the files a platform takes.
"""
