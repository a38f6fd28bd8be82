"""Self-hosted bid optimizer: reports in, evidence and suggestions out, nothing applied unapproved.

The data flows through the folders in this order, and a stage imports earlier ones only:

    errors, settings, tables   words shared by all
    reports, store             platform exports in; state and history kept
    estimates                  value per click, late conversions completed
    curves                     bid to clicks and cost
    decisions                  bids under budgets, keywords to add, pause or negate
    review                     the daily chain, evidence, approvals, export files
    outcomes                   what came of earlier promises
    planning                   simulated markets, policies
    workflows                  one function per verb; joins the store and the stages
    interfaces                 command line and pages

`ARCHITECTURE.md` says where to look for what.
"""

__version__ = "0.1.0"
